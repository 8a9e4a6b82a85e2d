using System.Text.Json.Nodes;
using Zaffre.Assets;

namespace Zaffre.Jobs.Yaml;

/// <summary>Jobs as <c>az ml</c> writes them: command jobs here, pipelines by <see cref="PipelineYaml"/>.</summary>
internal sealed class JobYaml(PipelineYaml pipelines, YamlCheck check) : IYamlKind
{
    /// <inheritdoc/>
    public string Kind => "job";

    /// <inheritdoc/>
    public async ValueTask ReadAsync(YamlReading reading, CancellationToken ct)
    {
        var root = reading.Root;
        switch (TypeOf(root))
        {
            case "command":
                await CommandAsync(reading, root, ct);
                break;
            case "pipeline":
                await pipelines.ReadJobAsync(reading, root, ct);
                break;
        }
    }

    private async Task CommandAsync(YamlReading reading, YamlMap root, CancellationToken ct)
    {
        root.Ignore("id", "creation_context", "status", "log_files", "parameters");
        var name = root.Text("name") ?? "job-" + Guid.NewGuid().ToString("N")[..12];
        var properties = new JsonObject
        {
            ["jobType"] = "Command",
            ["description"] = root.Text("description"),
            ["displayName"] = root.Text("display_name") ?? name,
            ["experimentName"] = root.Text("experiment_name"),
            ["tags"] = root.Texts("tags"),
            ["properties"] = root.Texts("properties"),
            ["identity"] = CommandYaml.Identity(root),
            ["command"] = root.Text("command", required: true),
            ["computeId"] = CommandYaml.Compute(reading, root, "compute"),
            ["codeId"] = await reading.CodeAsync(root, "code", ct),
            ["environmentId"] = await CommandYaml.EnvironmentAsync(reading, root, ct),
            ["environmentVariables"] = root.Texts("environment_variables"),
            ["resources"] = CommandYaml.Resources(root),
            ["distribution"] = CommandYaml.Distribution(root),
            ["limits"] = CommandYaml.Limits(root),
            ["queueSettings"] = CommandYaml.Queue(root),
            ["inputs"] = await CommandYaml.InputsAsync(reading, root, ct),
            ["outputs"] = CommandYaml.Outputs(root),
        };
        CommandYaml.RefuseUnsupported(root);
        await check.CheckJobAsync(reading, name, CommandYaml.Compact(properties), ct);
        reading.Put(reading.Workspace.Child("jobs", name), new JsonObject { ["properties"] = properties });
    }

    /// <summary>The type, inferred when it is not given, as az does; null, and a problem, when there is no engine for it.</summary>
    private static string? TypeOf(YamlMap root)
    {
        var type = root.Text("type")
            ?? (root.Has("jobs") || root.Has("component") ? "pipeline" : root.Has("trial") || root.Has("search_space") ? "sweep" : root.Has("entry") ? "spark" : "command");
        if (type.ToLowerInvariant() is "command" or "pipeline")
        {
            return type.ToLowerInvariant();
        }

        WithoutEngineYaml.RefuseJob(root, type);
        return null;
    }
}
