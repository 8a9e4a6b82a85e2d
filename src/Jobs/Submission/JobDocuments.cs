using System.Text.Json.Nodes;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission;

/// <summary>What jobs were made from, steps of pipelines among them.</summary>
internal sealed class JobDocuments(JobTable jobs, IResources resources)
{
    /// <summary>A copy of the job's document (<c>properties</c> and what stands beside it), or null when it is gone.</summary>
    public async Task<JsonObject?> FindAsync(JobRow row, CancellationToken ct)
    {
        if (row.Parent is null)
        {
            return (await resources.FindAsync(row.JobId, ct))?.Document.Copy();
        }

        return await jobs.StepDocumentAsync(row.JobId, ct) is { } text ? new JsonObject { ["properties"] = JsonNode.Parse(text) } : null;
    }
}
