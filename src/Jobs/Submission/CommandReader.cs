using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Submission;

/// <summary>Reads a command job's document, and reports everything in it that is wrong or has no engine here.</summary>
internal static partial class CommandReader
{
    private const string Root = "properties";

    /// <summary>Most bytes of one value: Linux hands a program at most 128 KiB in one argument or variable.</summary>
    public const int ArgumentLimit = 120 * 1024;

    /// <summary>Reads <paramref name="properties"/>; the result is of use only when <paramref name="findings"/> stays empty.</summary>
    public static CommandSpec Read(JsonObject properties, Findings findings)
    {
        var spec = new CommandSpec
        {
            Command = Needed(properties, "command", "the command to run", findings),
            Environment = Needed(properties, "environmentId", "the environment to run in", findings),
            Code = Empty(findings.Scalar(properties, "codeId", Root)),
            Compute = Empty(findings.Scalar(properties, "computeId", Root)),
            Experiment = Limited(properties, "experimentName", findings) ?? "Default",
            DisplayName = Limited(properties, "displayName", findings),
            Inputs = ReadEach(properties, "inputs", findings, (input, path) => InputsAndOutputs.ReadInput(input, path, findings)),
            Outputs = ReadEach(WithoutDefault(properties), "outputs", findings, (output, path) => InputsAndOutputs.ReadOutput(output, path, findings)),
            Variables = ReadVariables(properties, findings),
            Tags = findings.Texts(properties, "tags", Root),
            Timeout = ReadTimeout(properties, findings),
            SharedMemory = ReadSharedMemory(properties, findings),
            Rank = QueueRank.Read(properties, findings),
            Gang = DistributionReader.Read(properties, findings),
        };
        findings.Texts(properties, "properties", Root);
        findings.Flag(properties, "isArchived", Root);
        WithoutEngine.Check(properties, findings);
        CheckExpressions(spec, findings);
        return spec;
    }

    private static string Needed(JsonObject properties, string name, string what, Findings findings)
    {
        var before = properties[name];
        var text = findings.Scalar(properties, name, Root);
        if (string.IsNullOrWhiteSpace(text) && before is null or JsonValue)
        {
            findings.Invalid($"{Root}.{name}", $"{name} is missing: {what}.");
        }

        if (text is not null && Encoding.UTF8.GetByteCount(text) > ArgumentLimit)
        {
            findings.Invalid($"{Root}.{name}", $"{name} is longer than {ArgumentLimit} bytes. Put a long script into the code folder.");
        }

        return text ?? "";
    }

    internal static string? Empty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    /// <summary>A name for people: 255 characters, none of them a control character.</summary>
    public static string? Limited(JsonObject properties, string name, Findings findings)
    {
        var text = Empty(findings.Scalar(properties, name, Root));
        if (text is null)
        {
            return null;
        }

        if (text.Length > 255)
        {
            findings.Invalid($"{Root}.{name}", $"{name} has {text.Length} characters; at most 255 are allowed.");
        }

        if (text.Any(char.IsControl))
        {
            findings.Invalid($"{Root}.{name}", $"{name} holds control characters.");
        }

        return text;
    }

    /// <summary>Clients send an answer back whole: <c>outputs.default</c> is the server's own member.</summary>
    public static JsonObject WithoutDefault(JsonObject properties)
    {
        if (properties["outputs"] is not JsonObject outputs || !outputs.ContainsKey("default"))
        {
            return properties;
        }

        var copy = new JsonObject { ["outputs"] = outputs.DeepClone() };
        copy["outputs"]!.AsObject().Remove("default");
        return copy;
    }

    /// <summary>A map of objects, each read by <paramref name="read"/>.</summary>
    public static Dictionary<string, T> ReadEach<T>(JsonObject properties, string name, Findings findings, Func<JsonObject, string, T?> read)
        where T : class
    {
        var found = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var (key, node) in findings.Map(properties, name, Root))
        {
            var path = $"{Root}.{name}.{key}";
            if (!Names.IsMember(key))
            {
                findings.Invalid(path, "the name must begin with a letter or underscore, followed by letters, digits, _ . or -, 255 characters at most.");
            }

            if (node is not JsonObject item)
            {
                if (node is not null)
                {
                    findings.Invalid(path, $"must be an object, not {Findings.Kind(node)}.");
                }
            }
            else if (read(item, path) is { } one)
            {
                found[key] = one;
            }
        }

        return found;
    }

    private static Dictionary<string, string> ReadVariables(JsonObject properties, Findings findings)
    {
        var variables = findings.Texts(properties, "environmentVariables", Root);
        foreach (var (name, value) in variables)
        {
            if (!VariableName().IsMatch(name))
            {
                findings.Invalid($"{Root}.environmentVariables.{name}", "the name of a variable must begin with a letter or underscore, followed by letters, digits and underscores.");
            }

            if (value.Contains('\0', StringComparison.Ordinal))
            {
                findings.Invalid($"{Root}.environmentVariables.{name}", "the value holds a NUL character.");
            }

            if (Encoding.UTF8.GetByteCount(value) > ArgumentLimit)
            {
                findings.Invalid($"{Root}.environmentVariables.{name}", $"the value is longer than {ArgumentLimit} bytes. Give it as a file.");
            }
        }

        return variables;
    }

    private static TimeSpan? ReadTimeout(JsonObject properties, Findings findings)
    {
        var limits = findings.Map(properties, "limits", Root);
        if (findings.Scalar(limits, "jobLimitsType", $"{Root}.limits") is { } type && !type.Equals("Command", StringComparison.OrdinalIgnoreCase))
        {
            findings.Invalid($"{Root}.limits.jobLimitsType", $"'{type}' is not the limits type of a command job, which is Command.");
        }

        if (Empty(findings.Scalar(limits, "timeout", $"{Root}.limits")) is not { } text)
        {
            return null;
        }

        if (Durations.TryRead(text, out var timeout))
        {
            return timeout;
        }

        findings.Invalid($"{Root}.limits.timeout", $"'{text}' is no positive ISO 8601 duration, such as PT30M.");
        return null;
    }

    private static long? ReadSharedMemory(JsonObject properties, Findings findings)
    {
        const string path = $"{Root}.resources";
        if (Empty(findings.Scalar(findings.Map(properties, "resources", Root), "shmSize", path)) is not { } text)
        {
            return null;
        }

        if (ByteSizes.TryRead(text, out var bytes))
        {
            return bytes;
        }

        findings.Invalid($"{path}.shmSize", $"'{text}' is no size: a number with b, k, m or g, such as 2g.");
        return null;
    }

    private static void CheckExpressions(CommandSpec spec, Findings findings)
    {
        var (inputs, outputs) = (spec.Inputs.Keys.ToArray(), spec.Outputs.Keys.ToArray());
        var literals = spec.Inputs.Where(pair => pair.Value.IsLiteral).ToDictionary(pair => pair.Key, pair => Encoding.UTF8.GetByteCount(pair.Value.Value), StringComparer.Ordinal);
        foreach (var reported in literals.Where(pair => pair.Value > ArgumentLimit).Select(pair => pair.Key).ToArray())
        {
            literals.Remove(reported);
        }

        Expressions.Check(spec.Command, $"{Root}.command", inputs, outputs, findings);
        if (Expressions.BytesWith(spec.Command, literals) is > ArgumentLimit and var bytes && Encoding.UTF8.GetByteCount(spec.Command) <= ArgumentLimit)
        {
            findings.Invalid($"{Root}.command", $"with the values of its inputs in place the command has {bytes} bytes; {ArgumentLimit} are allowed. Give long values as files.");
        }

        if (spec.Command.Contains('\0', StringComparison.Ordinal))
        {
            findings.Invalid($"{Root}.command", "the command holds a NUL character.");
        }

        foreach (var (name, value) in spec.Variables)
        {
            Expressions.Check(value, $"{Root}.environmentVariables.{name}", inputs, outputs, findings);
            if (Expressions.BytesWith(value, literals) is > ArgumentLimit and var large && Encoding.UTF8.GetByteCount(value) <= ArgumentLimit)
            {
                findings.Invalid($"{Root}.environmentVariables.{name}", $"with the values of inputs in place the variable has {large} bytes; {ArgumentLimit} are allowed.");
            }
        }
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$", RegexOptions.None, 1000)]
    private static partial Regex VariableName();
}
