using System.Text.Json.Nodes;

namespace Zaffre.Tests.Http.Jobs.Model;

/// <summary>
/// A case as clients send it: a component for each nested pipeline, and the pipeline. <paramref name="command"/> tells the component of a
/// command by the name that its job will have, and by its step.
/// </summary>
internal sealed class PipelineWire(string workspace, Func<string, CaseStep, string> command)
{
    /// <summary>Whether commands of two processes are sent as such.</summary>
    public bool Gangs { get; init; }

    /// <summary>A folder that the commands of the last variant read; null for none.</summary>
    public string? Data { get; init; }

    private string? Salt { get; set; }

    /// <summary>The components of the case that nest steps: name and <c>componentSpec</c>, the innermost first.</summary>
    public IEnumerable<(string Name, JsonObject Spec)> Components(PipelineCase one, string name)
    {
        Salt = one.Salt;
        return Components(one.Root, name);
    }

    private IEnumerable<(string Name, JsonObject Spec)> Components(CaseLevel level, string name)
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
    public JsonObject Job(PipelineCase one, string name, string compute)
    {
        Salt = one.Salt;
        return new JsonObject
        {
            ["jobType"] = "Pipeline",
            ["settings"] = new JsonObject { ["default_compute"] = compute, ["force_rerun"] = one.Force, ["continue_on_step_failure"] = one.GoOn },
            ["inputs"] = new JsonObject { ["tag"] = new JsonObject { ["jobInputType"] = "literal", ["value"] = "root" } },
            ["outputs"] = new JsonObject { ["out"] = new JsonObject { ["jobOutputType"] = "uri_file", ["assetName"] = name } },
            ["jobs"] = Nodes(one.Root, name),
        };
    }

    /// <summary>The nodes, the last first, so that their order is found and not given.</summary>
    private JsonObject Nodes(CaseLevel level, string name)
    {
        var nodes = new JsonObject();
        for (var i = level.Steps.Count - 1; i >= 0; i--)
        {
            var step = level.Steps[i];
            var control = step.Control is null ? null : Control(level, i, step.Control);
            if (control is not null)
            {
                nodes[$"s{i}"] = control;
            }

            if (!step.Is(ControlKind.If))
            {
                var component = step.Inner is null ? command($"{name}_s{i}", step) : $"{name}_s{i}";
                nodes[control is null ? $"s{i}" : $"s{i}b"] = Node(step, writes: level.Output == i, component);
            }
        }

        return nodes;
    }

    private static JsonObject Control(CaseLevel level, int index, CaseControl control) => control.Kind switch
    {
        ControlKind.If => new JsonObject
        {
            ["type"] = "if_else",
            ["condition"] = control.Flag is { } flag ? $"${{{{parent.jobs.s{flag}.outputs.flag}}}}" : JsonValue.Create(control.Value),
            ["true_block"] = Block(level, index, side: true),
            ["false_block"] = Block(level, index, side: false),
        },
        ControlKind.DoWhile => new JsonObject
        {
            ["type"] = "do_while",
            ["body"] = $"${{{{parent.jobs.s{index}b}}}}",
            ["condition"] = level.Steps[index].Inner is null ? "flag" : null,
            ["mapping"] = new JsonObject { ["out"] = new JsonArray("a") },
            ["limits"] = new JsonObject { ["max_iteration_count"] = control.Count },
        },
        _ => new JsonObject
        {
            ["type"] = "parallel_for",
            ["body"] = $"${{{{parent.jobs.s{index}b}}}}",
            ["items"] = new JsonArray([.. Enumerable.Range(1, control.Count).Select(i => new JsonObject { ["tag"] = $"i{i}" })]).ToJsonString(),
            ["max_concurrency"] = control.AtOnce,
        },
    };

    private static JsonArray? Block(CaseLevel level, int index, bool side)
    {
        var members = Enumerable.Range(0, level.Steps.Count).Where(i => level.Steps[i].Branch == (index, side)).Select(i => (JsonNode)$"${{{{parent.jobs.s{i}}}}}").ToArray();
        return members.Length == 0 ? null : new JsonArray(members);
    }

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
        if (step.Inner is null)
        {
            Environs(step, node);
        }

        if (writes)
        {
            node["outputs"] = new JsonObject { ["out"] = new JsonObject { ["type"] = "literal", ["value"] = "${{parent.outputs.out}}" } };
        }

        return node;
    }

    /// <summary>What a command sees beside its inputs.</summary>
    private void Environs(CaseStep step, JsonObject node)
    {
        if (Salt is not null)
        {
            node["environment_variables"] = new JsonObject { ["SALT"] = Salt };
        }

        if (Data is not null && step.Variant == PipelineCase.Variants - 1)
        {
            node["inputs"]!["data"] = new JsonObject { ["job_input_type"] = "uri_folder", ["uri"] = Data };
        }

        if (Gangs && step.Gang)
        {
            node["resources"] = new JsonObject { ["instance_count"] = 2 };
            node["distribution"] = new JsonObject { ["type"] = "pytorch", ["process_count_per_instance"] = 1 };
        }
    }

    private static JsonObject Bound(string what) => new() { ["job_input_type"] = "literal", ["value"] = $"${{{{parent.{what}}}}}" };
}
