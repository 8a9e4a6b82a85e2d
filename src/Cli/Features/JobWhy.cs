using System.CommandLine;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre job why NAME</c>: why a step ran or was reused; of a pipeline a table of its steps.</summary>
internal static class JobWhy
{
    public static Verb Verb()
    {
        var job = new Argument<string>("NAME") { Description = "Name of a pipeline, or of a step's job." };
        return new Verb(
            "why",
            "Say why a step ran or was reused, and what differs from its earlier run; of a pipeline that of every step.",
            async (call, ct) =>
            {
                var answer = await call.Api.GetAsync($"/zaffre/v1{call.Api.WorkspacePath}/jobs/{Uri.EscapeDataString(call.Get(job))}/why", ct);
                return answer["steps"] is JsonArray steps
                    ? new JsonArray([.. steps.OfType<JsonObject>().Select(step => (JsonNode)Short(step))])
                    : answer.DeepClone();
            })
        {
            Arguments = { job },
            Form = "table",
        };
    }

    private static JsonObject Short(JsonObject step) => new()
    {
        ["step"] = step.Text("step"),
        ["status"] = step.Text("status"),
        ["decision"] = step.Text("decision"),
        ["why"] = step.Text("summary"),
        ["compared_with"] = step.Text("comparedWith"),
    };
}
