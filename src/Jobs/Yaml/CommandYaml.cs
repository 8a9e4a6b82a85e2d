using System.Text.Json.Nodes;
using System.Xml;
using Zaffre.Assets;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Yaml;

/// <summary>The parts that command jobs, steps of pipelines and command components share.</summary>
internal static class CommandYaml
{
    /// <summary>The environment, which every command needs.</summary>
    public static async ValueTask<string?> EnvironmentAsync(YamlReading reading, YamlMap root, CancellationToken ct)
    {
        if (!root.Has("environment"))
        {
            root.Text("environment", required: true);
            return null;
        }

        return await reading.EnvironmentAsync(root, "environment", ct);
    }

    /// <summary>The resource id of a compute.</summary>
    public static string? Compute(YamlReading reading, YamlMap root, string key)
    {
        if (root.Text(key) is not { } text)
        {
            return null;
        }

        if (Reference.TryParse(text) is not null)
        {
            return text;
        }

        if (text.Equals("local", StringComparison.OrdinalIgnoreCase))
        {
            root.Unsupported(key, Submission.CommandTargets.LocalIsNotSupported);
            return null;
        }

        var plain = text.StartsWith("azureml:", StringComparison.OrdinalIgnoreCase) ? text["azureml:".Length..] : text;
        return plain.StartsWith('/') ? plain : reading.Workspace.Child("computes", plain).Value;
    }

    /// <summary>Resources as jobs write them.</summary>
    public static JsonObject? Resources(YamlMap root)
    {
        if (root.Map("resources") is not { } map)
        {
            return null;
        }

        if (map.Integer("max_instance_count") is > 1)
        {
            map.Unsupported("max_instance_count", "The number of instances does not change while a job runs; instance_count says how many.");
        }

        if (map.Has("docker_args"))
        {
            map.Json("docker_args");
            map.Unsupported("docker_args", "Jobs run in a sandbox of the host, not in Docker.");
        }

        return Compact(new JsonObject
        {
            ["instanceCount"] = IntegerOrBound(map, "instance_count"),
            ["instanceType"] = map.Text("instance_type"),
            ["shmSize"] = map.Text("shm_size"),
            ["properties"] = map.Json("properties"),
            ["locations"] = map.TextList("locations") is { } locations ? new JsonArray([.. locations.Select(location => JsonValue.Create(location))]) : null,
        });
    }

    /// <summary>A number, or the input of the pipeline that a step takes it from.</summary>
    private static JsonNode? IntegerOrBound(YamlMap map, string key) => Reference.TryParse(map.PeekText(key) ?? "") is null ? map.Integer(key) : map.Text(key);

    /// <summary>The distribution as jobs write it; what is wrong with its numbers the job itself reports.</summary>
    public static JsonObject? Distribution(YamlMap root)
    {
        if (root.Map("distribution") is not { } map)
        {
            return null;
        }

        switch (map.Choice("type", ["pytorch", "tensorflow", "mpi", "ray"], required: true))
        {
            case "tensorflow":
                return Compact(new JsonObject
                {
                    ["distributionType"] = "TensorFlow",
                    ["parameterServerCount"] = IntegerOrBound(map, "parameter_server_count"),
                    ["workerCount"] = IntegerOrBound(map, "worker_count"),
                });
            case "ray":
                map.ToJson();
                map.Unsupported("type", Submission.DistributionReader.RayIsNotSupported);
                return null;
            case { } type:
                return Compact(new JsonObject
                {
                    ["distributionType"] = type == "mpi" ? "Mpi" : "PyTorch",
                    ["processCountPerInstance"] = IntegerOrBound(map, "process_count_per_instance"),
                });
            default:
                map.ToJson();
                return null;
        }
    }

    /// <summary>The distribution as components write it.</summary>
    public static JsonObject? ComponentDistribution(YamlMap root)
    {
        if (Distribution(root) is not { } distribution)
        {
            return null;
        }

        var snake = SnakeCase.FromCamel(distribution);
        snake.Remove("distribution_type");
        snake["type"] = distribution.Text("distributionType")!.ToLowerInvariant();
        return snake;
    }

    /// <summary>The limits of a command.</summary>
    public static JsonObject? Limits(YamlMap root)
    {
        if (root.Map("limits") is not { } map || map.Integer("timeout", required: true) is not { } seconds)
        {
            return null;
        }

        if (seconds <= 0)
        {
            map.Error("timeout", "'timeout' must be a positive number of seconds");
        }

        return new JsonObject { ["jobLimitsType"] = "Command", ["timeout"] = XmlConvert.ToString(TimeSpan.FromSeconds(seconds)) };
    }

    /// <summary>Tier and priority.</summary>
    public static JsonObject? Queue(YamlMap root)
    {
        if (root.Map("queue_settings") is not { } map)
        {
            return null;
        }

        string[] priorities = ["low", "medium", "high"];
        var priority = map.Choice("priority", priorities);
        return Compact(new JsonObject
        {
            ["jobTier"] = map.Choice("job_tier", ["Spot", "Basic", "Standard", "Premium", "Null"]),
            ["priority"] = priority is null ? null : Array.IndexOf(priorities, priority) + 1,
        });
    }

    /// <summary>Every input.</summary>
    public static async ValueTask<JsonObject?> InputsAsync(YamlReading reading, YamlMap root, CancellationToken ct)
    {
        if (root.Map("inputs") is not { } map)
        {
            return null;
        }

        var inputs = new JsonObject();
        foreach (var name in map.Keys)
        {
            inputs[name] = map.ShapeOf(name) is YamlShape.Map
                ? await InputAsync(reading, map.Map(name)!, ct)
                : Literal(map, name);
        }

        return inputs;
    }

    /// <summary>A literal input, as text.</summary>
    public static JsonObject? Literal(YamlMap map, string name)
    {
        if (map.ShapeOf(name) is YamlShape.Null)
        {
            map.Error(name, $"the input '{name}' has no value");
        }

        return map.Literal(name) is { } text ? new JsonObject { ["jobInputType"] = "literal", ["value"] = text } : null;
    }

    /// <summary>An input that is written as a map.</summary>
    public static async ValueTask<JsonObject?> InputAsync(YamlReading reading, YamlMap input, CancellationToken ct)
    {
        if (PortTypes.Primitive(input.PeekText("type")) is { } primitive)
        {
            input.ToJson();
            input.Error("type", $"an input of a job or step has no type '{primitive}' of its own: write its value alone (name: value); only components declare types, min, max, enum and default");
            return null;
        }

        if (input.Has("value"))
        {
            return Literal(input, "value");
        }

        var type = input.Choice("type", ["uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"]) ?? "uri_folder";
        string[] modes = ["ro_mount", "rw_mount", "download", "direct", "eval_mount", "eval_download"];
        var mode = input.Choice("mode", modes);
        if (input.Has("path_on_compute"))
        {
            input.Text("path_on_compute");
            input.Unsupported("path_on_compute", "The place of an input in the job cannot be chosen; use ${{inputs.name}}.");
        }

        input.Text("path", required: true);
        input.Ignore("datastore");
        return Compact(new JsonObject
        {
            ["jobInputType"] = type,
            ["uri"] = input.Has("path") ? await reading.DataUriAsync(input, "path", type, ct) : null,
            ["mode"] = InputMode(mode),
        });
    }

    /// <summary>The wire's name of an input's mode.</summary>
    public static string? InputMode(string? mode) => mode switch
    {
        "ro_mount" or "mount" => "ReadOnlyMount",
        "rw_mount" => "ReadWriteMount",
        "download" => "Download",
        "direct" => "Direct",
        "eval_mount" => "EvalMount",
        "eval_download" => "EvalDownload",
        _ => null,
    };

    /// <summary>Every output.</summary>
    public static JsonObject? Outputs(YamlMap root)
    {
        if (root.Map("outputs") is not { } map)
        {
            return null;
        }

        var outputs = new JsonObject();
        foreach (var name in map.Keys)
        {
            if (map.ShapeOf(name) is YamlShape.Null)
            {
                map.Ignore(name);
                outputs[name] = new JsonObject { ["jobOutputType"] = "uri_folder" };
            }
            else if (map.Map(name) is { } output)
            {
                outputs[name] = Output(output);
            }
        }

        return outputs;
    }

    /// <summary>An output that is written as a map.</summary>
    public static JsonObject Output(YamlMap output)
    {
        var path = output.Text("path");
        if (path is not null && YamlReferences.IsLocal(path))
        {
            output.Error("path", "an output lies in a datastore: azureml://datastores/NAME/paths/PATH");
        }

        return Compact(new JsonObject
        {
            ["jobOutputType"] = output.Choice("type", ["uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"]) ?? "uri_folder",
            ["uri"] = path,
            ["mode"] = OutputMode(output),
            ["assetName"] = output.Text("name"),
            ["assetVersion"] = output.Text("version"),
        });
    }

    /// <summary>The wire's name of an output's mode.</summary>
    public static string? OutputMode(YamlMap output) => output.Choice("mode", ["rw_mount", "mount", "upload", "direct"]) switch
    {
        "rw_mount" or "mount" => "ReadWriteMount",
        "upload" => "Upload",
        "direct" => "Direct",
        _ => null,
    };

    /// <summary>The identity as jobs write it; what is wrong with it is reported by <see cref="RefuseUnsupported"/>.</summary>
    public static JsonObject? Identity(YamlMap root)
    {
        if (root.Peek("identity") is not { } map || StepDocument.IdentityType(map.PeekText("type")) is not { } type)
        {
            return null;
        }

        return Compact(new JsonObject { ["identityType"] = type, ["clientId"] = map.PeekText("client_id"), ["objectId"] = map.PeekText("object_id"), ["resourceId"] = map.PeekText("msi_resource_id") });
    }

    /// <summary>What a command job may say and has no engine here.</summary>
    public static void RefuseUnsupported(YamlMap root)
    {
        const string parent = "parent_job_name";
        if (root.Text(parent) is not null)
        {
            root.Unsupported(parent, "Child jobs are made by the server only.");
        }

        WithoutEngineYaml.CheckIdentityAndServices(root);
    }

    /// <summary>Without the members that are null.</summary>
    public static JsonObject Compact(JsonObject map)
    {
        foreach (var absent in map.Where(pair => pair.Value is null).Select(pair => pair.Key).ToArray())
        {
            map.Remove(absent);
        }

        return map;
    }
}
