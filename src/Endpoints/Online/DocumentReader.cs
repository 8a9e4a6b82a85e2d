using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Endpoints.Online;

/// <summary>Reads a document's members and collects everything that is wrong with them, each with its path.</summary>
internal sealed class DocumentReader(JsonObject body)
{
    private readonly List<Problem> problems = [];

    public JsonObject Properties { get; } = body["properties"] as JsonObject ?? [];

    public IReadOnlyList<Problem> Problems => problems;

    public void Add(Problem problem) => problems.Add(problem);

    public void Invalid(string path, string message) => problems.Add(ArmErrors.Invalid(message, path));

    public void Unsupported(string path, string what) => problems.Add(ArmErrors.Unsupported(what, path));

    /// <summary>Every problem so far as one, or null.</summary>
    public Problem? Combined => problems.Count == 0 ? null : Problem.Combine(problems);

    /// <summary>A text member of <c>properties</c>; another kind is a problem.</summary>
    public string? Text(string name, bool required = false)
    {
        var node = Properties[name];
        if (node is null)
        {
            if (required)
            {
                Invalid($"properties.{name}", $"'properties.{name}' is required.");
            }

            return null;
        }

        if (node is JsonValue value && value.TryGetValue<string>(out var text))
        {
            return text;
        }

        Invalid($"properties.{name}", $"'properties.{name}' must be a string.");
        return null;
    }

    /// <summary>One of <paramref name="allowed"/> in its canonical casing (compared without case); another value is a problem.</summary>
    public string? OneOf(string name, bool required, params IReadOnlyList<string> allowed)
    {
        if (Text(name, required) is not { } text)
        {
            return null;
        }

        var canonical = allowed.FirstOrDefault(a => a.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (canonical is null)
        {
            Invalid($"properties.{name}", $"'{text}' is no value of 'properties.{name}': use {string.Join(" or ", allowed)}.");
        }
        else
        {
            Properties[name] = canonical;
        }

        return canonical;
    }

    /// <summary>An object of whole numbers; entries of another kind are problems.</summary>
    public Dictionary<string, int> Numbers(string name)
    {
        var read = new Dictionary<string, int>(StringComparer.Ordinal);
        switch (Properties[name])
        {
            case null:
                break;
            case JsonObject map:
                foreach (var (key, value) in map)
                {
                    if (value is JsonValue v && v.TryGetValue<int>(out var number) && number is >= 0 and <= 100)
                    {
                        read[key] = number;
                    }
                    else
                    {
                        Invalid($"properties.{name}.{key}", $"'properties.{name}.{key}' must be a whole number from 0 to 100.");
                    }
                }

                break;
            default:
                Invalid($"properties.{name}", $"'properties.{name}' must be an object.");
                break;
        }

        return read;
    }

    /// <summary>An object of texts; numbers and booleans become text, other kinds are problems.</summary>
    public void Texts(string name)
    {
        switch (Properties[name])
        {
            case null:
                break;
            case JsonObject map:
                foreach (var (key, value) in map)
                {
                    if (value is JsonObject or JsonArray)
                    {
                        Invalid($"properties.{name}.{key}", $"'properties.{name}.{key}' must be a string.");
                    }
                    else if (key.Length == 0 || key.Contains('=', StringComparison.Ordinal) || key.Contains('\0', StringComparison.Ordinal))
                    {
                        Invalid($"properties.{name}", $"'{key}' is no name of an environment variable.");
                    }
                }

                break;
            default:
                Invalid($"properties.{name}", $"'properties.{name}' must be an object.");
                break;
        }
    }
}
