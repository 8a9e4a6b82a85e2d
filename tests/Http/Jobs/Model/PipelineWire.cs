using System.Text.Json.Nodes;

namespace Zaffre.Tests.Http.Jobs.Model;

/// <summary>
/// A case as clients send it: a component for each nested pipeline, and the pipeline. <paramref name="command"/> tells the component of a
/// command by the name that its job will have.
/// </summary>
internal sealed class PipelineWire(string workspace, Func<string, string> command)
{
    /// <summary>The components of the case that nest steps: name and <c>componentSpec</c>, the innermost first.</summary>
    public IEnumerable<(string Name, JsonObject Spec)> Components(CaseLevel level, string name)
    {
        for (var i = 0; i < level.Steps.Count; i++)
        {
            if (level.Steps[i].Inner is not { } inner)
            {
                continue;
            }

            foreach (var below in Components(inner, $"{name}_s{i}"))
            {
                yield return below;
            }

            var inputs = new JsonObject { ["tag"] = new JsonObject { ["type"] = "string", ["default"] = "default" } };
            for (var port = 0; port < PipelineCase.Ports; port++)
            {
                inputs[PipelineCase.Port(port)] = new JsonObject { ["type"] = "uri_file", ["optional"] = true };
            }

            yield return ($"{name}_s{i}", new JsonObject
            {
                ["type"] = "pipeline",
                ["inputs"] = inputs,
                ["outputs"] = new JsonObject { ["out"] = new JsonObject { ["type"] = "uri_file" } },
                ["jobs"] = Nodes(inner, $"{name}_s{i}"),
            });
        }
    }

    /// <summary>The <c>properties</c> of the job.</summary>
    public JsonObject Job(PipelineCase one, string name, string compute) => new()
    {
        ["jobType"] = "Pipeline",
        ["settings"] = new JsonObject { ["default_compute"] = compute, ["force_rerun"] = true, ["continue_on_step_failure"] = one.GoOn },
        ["inputs"] = new JsonObject { ["tag"] = new JsonObject { ["jobInputType"] = "literal", ["value"] = "root" } },
        ["outputs"] = new JsonObject { ["out"] = new JsonObject { ["jobOutputType"] = "uri_file", ["assetName"] = name } },
        ["jobs"] = Nodes(one.Root, name),
    };

    /// <summary>The nodes, the last first, so that their order is found and not given.</summary>
    private JsonObject Nodes(CaseLevel level, string name) => new(Enumerable.Range(0, level.Steps.Count).Reverse().Select(i =>
        KeyValuePair.Create($"s{i}", (JsonNode?)Node(level.Steps[i], writes: level.Output == i, component: level.Steps[i].Inner is null ? command($"{name}_s{i}") : $"{name}_s{i}"))));

    private JsonObject Node(CaseStep step, bool writes, string component)
    {
        var inputs = new JsonObject();
        for (var port = 0; port < step.Inputs.Count; port++)
        {
            if (step.Inputs[port] is { Step: { } from })
            {
                inputs[PipelineCase.Port(port)] = Bound($"jobs.s{from}.outputs.out");
            }
            else if (step.Inputs[port] is { Parent: { } outer })
            {
                inputs[PipelineCase.Port(port)] = Bound($"inputs.{PipelineCase.Port(outer)}");
            }
        }

        if (step.Tag != TagKind.Default)
        {
            inputs["tag"] = step.Tag switch
            {
                TagKind.Parent => Bound("inputs.tag"),
                TagKind.Sibling => Bound($"jobs.s{step.Sibling}.inputs.tag"),
                _ => new JsonObject { ["job_input_type"] = "literal", ["value"] = "literal" },
            };
        }

        var node = new JsonObject { ["type"] = step.Inner is null ? "command" : "pipeline", ["componentId"] = $"{workspace}/components/{component}/versions/1", ["inputs"] = inputs };
        if (writes)
        {
            node["outputs"] = new JsonObject { ["out"] = new JsonObject { ["type"] = "literal", ["value"] = "${{parent.outputs.out}}" } };
        }

        return node;
    }

    private static JsonObject Bound(string what) => new() { ["job_input_type"] = "literal", ["value"] = $"${{{{parent.{what}}}}}" };
}
