using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Kernel;
using Zaffre.Tracking;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// The values of outputs that a job told its run, as Azure's clients do: the property <c>azureml.pipeline.control</c>, a JSON object by output, or
/// <c>azureml.pipeline.control.{output}</c> for one of them. They go before what lies in the outputs' files.
/// </summary>
internal static class ControlValues
{
    private const string Property = "azureml.pipeline.control";

    /// <summary>The values, by output; empty when the job has no output that is one.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> ToldAsync(IRuns runs, JobRow job, JobPlan plan)
    {
        var told = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!plan.Outputs.Values.Any(output => PortTypes.IsPrimitive(output.Type)))
        {
            return told;
        }

        var properties = await runs.PropertiesAsync(job.Workspace, job.Name, CancellationToken.None);
        foreach (var (name, value) in Parse(properties.GetValueOrDefault(Property)))
        {
            if (value is JsonValue && ZaffreJson.Text(value) is { } text)
            {
                told[name] = text;
            }
        }

        foreach (var (name, value) in properties.Where(pair => pair.Key.StartsWith(Property + ".", StringComparison.Ordinal)))
        {
            told[name[(Property.Length + 1)..]] = value;
        }

        return told;
    }

    private static JsonObject Parse(string? text)
    {
        try
        {
            return text is null ? [] : JsonNode.Parse(text) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
