using Zaffre.Assets;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Data;

/// <summary>
/// The ids under which run history reports outputs that nobody named:
/// <c>azureml://locations/{l}/workspaces/{guid}/data/azureml_{job}_output_data_{output}/versions/1</c>, as Azure forms them.
/// </summary>
internal sealed class OutputAssets(JobTable jobs) : IRunOutputAssets
{
    private const string Workspaces = "/workspaces/";
    private const string Data = "/data/";

    /// <summary>The id for <paramref name="output"/> of a job.</summary>
    public static string IdOf(string location, string workspaceId, string job, string output) =>
        $"azureml://locations/{location}/workspaces/{workspaceId}/data/{NameOf(job, output)}/versions/1";

    /// <summary>What the id is found by.</summary>
    public static string KeyOf(string workspaceId, string job, string output) => $"{workspaceId}/{NameOf(job, output)}".ToLowerInvariant();

    /// <inheritdoc/>
    public async Task<(string Uri, string Type)?> FindAsync(WorkspaceRef workspace, string assetId, CancellationToken ct)
    {
        if (Parse(assetId) is not { } key || await jobs.FindOutputAsync(key, ct) is not { } output)
        {
            return null;
        }

        var type = output.Type switch
        {
            _ when Submission.JobTypes.IsFile(output.Type) => "UriFile",
            "mltable" => "MLTable",
            _ => "UriFolder",
        };
        return (output.Uri, type);
    }

    private static string NameOf(string job, string output) => $"azureml_{job}_output_data_{output}";

    private static string? Parse(string assetId)
    {
        var at = assetId.IndexOf(Workspaces, StringComparison.OrdinalIgnoreCase);
        var data = at < 0 ? -1 : assetId.IndexOf(Data, at, StringComparison.OrdinalIgnoreCase);
        var versions = data < 0 ? -1 : assetId.IndexOf("/versions/", data, StringComparison.OrdinalIgnoreCase);
        return versions < 0
            ? null
            : $"{assetId[(at + Workspaces.Length)..data]}/{assetId[(data + Data.Length)..versions]}".ToLowerInvariant();
    }
}
