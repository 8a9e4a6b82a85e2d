using System.Text.Json.Nodes;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>A component version, read from its free-form document.</summary>
internal sealed record Component
{
    /// <summary>Resource id of the version.</summary>
    public required string Id { get; init; }

    /// <summary>One of <see cref="JobKind"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>The <c>componentSpec</c> as it was registered.</summary>
    public required JsonObject Spec { get; init; }

    public required IReadOnlyDictionary<string, Port> Inputs { get; init; }

    public required IReadOnlyDictionary<string, Port> Outputs { get; init; }

    /// <summary>What stands for a component where a node has none: it decides, and has no ports.</summary>
    public static Component None { get; } = new()
    {
        Id = "",
        Kind = JobKind.Condition,
        Spec = [],
        Inputs = new Dictionary<string, Port>(StringComparer.Ordinal),
        Outputs = new Dictionary<string, Port>(StringComparer.Ordinal),
    };

    /// <summary>Whether a step of this component may be reused.</summary>
    public StepReuse ReuseIn(PipelineSettings settings)
    {
        var container = new ArmId(Id).Parent;
        return new StepReuse(
            settings.ForceRerun,
            !"false".Equals(ZaffreJson.Text(Spec["is_deterministic"]), StringComparison.OrdinalIgnoreCase),
            container.Name.Equals(Anonymous, StringComparison.OrdinalIgnoreCase) ? null : container.Key);
    }

    private const string Anonymous = "azureml_anonymous";
}

/// <summary>Reads component documents, and reports everything in them that is wrong or has no engine here.</summary>
internal static class ComponentReader
{
    private static readonly string[] Reserved = ["path", "ld_library_path", "user", "logname", "home", "pwd", "shell"];

    /// <summary>The component, or null when it is of a kind that has no engine; problems lie under <paramref name="path"/>.</summary>
    public static Component? Read(string id, JsonObject spec, Findings findings, string path)
    {
        var type = findings.Scalar(spec, "type", path);
        var kind = type switch
        {
            "command" or "CommandComponent" => JobKind.Command,
            "pipeline" or "PipelineComponent" => JobKind.Pipeline,
            _ => null,
        };
        if (kind is null)
        {
            findings.Unsupported($"{path}.type", $"components of type '{type}' are not supported; command and pipeline are.");
            return null;
        }

        return new Component
        {
            Id = id,
            Kind = kind,
            Spec = spec,
            Inputs = Ports(spec, "inputs", findings, path),
            Outputs = Ports(spec, "outputs", findings, path),
        };
    }

    private static Dictionary<string, Port> Ports(JsonObject spec, string name, Findings findings, string path)
    {
        var ports = new Dictionary<string, Port>(StringComparer.Ordinal);
        foreach (var (key, node) in findings.Map(spec, name, path))
        {
            var at = $"{path}.{name}.{key}";
            if (!Names.IsMember(key) || Reserved.Contains(key, StringComparer.OrdinalIgnoreCase))
            {
                findings.Invalid(at, $"'{key}' is no name for an input or output of a component: begin with a letter or underscore, and leave {string.Join(", ", Reserved)} to the system.");
            }

            if (node is not JsonObject map)
            {
                findings.Invalid(at, $"must be an object with a type, not {(node is null ? "null" : Findings.Kind(node))}.");
            }
            else if (PortOf(map, findings, at) is { } port)
            {
                ports[key] = port;
            }
        }

        return ports;
    }

    private static Port? PortOf(JsonObject map, Findings findings, string path)
    {
        var sent = findings.Scalar(map, "type", path);
        if (PortTypes.Of(sent) is not { } type)
        {
            findings.Invalid($"{path}.type", $"'{sent}' is no type: {PortTypes.Allowed}.");
            return null;
        }

        var port = new Port(type)
        {
            Optional = findings.Scalar(map, "optional", path)?.Equals("true", StringComparison.OrdinalIgnoreCase) == true,
            Default = findings.Scalar(map, "default", path),
            Min = Bound(map, "min", findings, path),
            Max = Bound(map, "max", findings, path),
            Choices = map["enum"] is JsonArray list ? [.. list.Select(item => ZaffreJson.Text(item) ?? "")] : [],
        };
        if (port.Default is { } value && port.IsPrimitive && port.Problem(value) is { } reason)
        {
            findings.Invalid($"{path}.default", $"the default {reason}.");
        }

        return port;
    }

    private static double? Bound(JsonObject map, string name, Findings findings, string path)
    {
        if (findings.Scalar(map, name, path) is not { } text)
        {
            return null;
        }

        if (double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var bound))
        {
            return bound;
        }

        findings.Invalid($"{path}.{name}", $"'{text}' is no number.");
        return null;
    }
}
