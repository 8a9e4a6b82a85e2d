using System.Text.Json.Nodes;
using Zaffre.Assets;

namespace Zaffre.Jobs.Yaml;

/// <summary>Pipeline jobs as <c>az ml</c> writes them.</summary>
internal sealed class PipelineYaml(IAssets assets, YamlCheck check)
{
    /// <summary>Adds the components, anonymous ones among them, and the job.</summary>
    public async Task ReadJobAsync(YamlReading reading, YamlMap root, CancellationToken ct)
    {
        root.Ignore("id", "creation_context", "status", "log_files");
        var name = root.Text("name") ?? "pipeline-" + Guid.NewGuid().ToString("N")[..12];
        var components = new YamlComponents(reading, assets);
        var inputs = await CommandYaml.InputsAsync(reading, root, ct);
        var outputs = CommandYaml.Outputs(root);
        var ports = new YamlPorts(Types(inputs, "jobInputType"), Types(outputs, "jobOutputType"));
        var properties = new JsonObject
        {
            ["jobType"] = "Pipeline",
            ["description"] = root.Text("description"),
            ["displayName"] = root.Text("display_name") ?? name,
            ["experimentName"] = root.Text("experiment_name"),
            ["tags"] = root.Texts("tags"),
            ["properties"] = root.Texts("properties"),
            ["identity"] = CommandYaml.Identity(root),
            ["computeId"] = CommandYaml.Compute(reading, root, "compute"),
            ["settings"] = Settings(reading, root),
            ["inputs"] = inputs,
            ["outputs"] = outputs,
            ["componentId"] = root.Has("component") ? (await components.UseAsync(root, ct))?.Id : null,
            ["jobs"] = root.Has("component") ? null : await new YamlNodes(reading, components).ReadAsync(root, ports, ct),
        };
        if (root.Has("component") && root.Has("jobs"))
        {
            root.Map("jobs");
            root.Error("jobs", "a pipeline has either 'jobs' or a 'component'");
        }

        CommandYaml.RefuseUnsupported(root);
        await check.CheckJobAsync(reading, name, CommandYaml.Compact(properties), ct);
        reading.Put(reading.Workspace.Child("jobs", name), new JsonObject { ["properties"] = properties });
    }

    /// <summary>The settings, by the names that clients send.</summary>
    private static JsonObject? Settings(YamlReading reading, YamlMap root)
    {
        if (root.Map("settings") is not { } map)
        {
            return null;
        }

        return CommandYaml.Compact(new JsonObject
        {
            ["default_compute"] = CommandYaml.Compute(reading, map, "default_compute"),
            ["default_datastore"] = map.Text("default_datastore"),
            ["continue_on_step_failure"] = map.Flag("continue_on_step_failure"),
            ["force_rerun"] = map.Flag("force_rerun"),
            ["on_init"] = map.Text("on_init"),
            ["on_finalize"] = map.Text("on_finalize"),
            ["_source"] = "YAML.JOB",
        });
    }

    private static Dictionary<string, string> Types(JsonObject? map, string member) =>
        (map ?? []).Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value![member]!.ToString() is var type && type == "literal" ? "string" : type, StringComparer.Ordinal);
}

/// <summary>The types of a pipeline's, a step's or a component's inputs and outputs, by name.</summary>
internal sealed record YamlPorts(IReadOnlyDictionary<string, string> Inputs, IReadOnlyDictionary<string, string> Outputs);

/// <summary>Components as <c>az ml component create</c> reads them.</summary>
internal sealed class ComponentYaml(IAssets assets) : IYamlKind
{
    /// <inheritdoc/>
    public string Kind => "component";

    /// <inheritdoc/>
    public async ValueTask ReadAsync(YamlReading reading, CancellationToken ct)
    {
        var root = reading.Root;
        var name = root.Text("name", required: true);
        var version = root.Text("version");
        if (await new YamlComponents(reading, assets).SpecAsync(root, ct) is not { } spec || name is null)
        {
            return;
        }

        YamlCheck.CheckComponent(reading, spec);
        version ??= await assets.NextVersionAsync(reading.Workspace, AssetType.Component, name, ct);
        spec["version"] = version;
        reading.Put(reading.Workspace.Child("components", name).Child("versions", version), new JsonObject
        {
            ["properties"] = CommandYaml.Compact(new JsonObject
            {
                ["description"] = root.Text("description"),
                ["tags"] = root.Texts("tags"),
                ["componentSpec"] = spec,
            }),
        });
    }
}
