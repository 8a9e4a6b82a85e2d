using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Submission;

/// <summary>
/// Collects every problem of one request, each with the path of what is wrong. What is told is bounded: 500 problems, and 2,000 characters of a
/// message or a path.
/// </summary>
internal sealed class Findings
{
    private const string Root = "properties";
    private const int Most = 500;
    private const int Longest = 2000;

    private readonly Found found;
    private readonly string root;

    public Findings()
        : this(new Found(), Root)
    {
    }

    private Findings(Found found, string root) => (this.found, this.root) = (found, root);

    /// <summary>How many there are, also beyond those that are told.</summary>
    public int Count => found.Count;

    public bool Any => found.Count > 0;

    /// <summary>All problems as one; call only when there are some.</summary>
    public Problem Combined => Problem.Combine(All);

    /// <summary>Each by itself.</summary>
    public IReadOnlyList<Problem> All => found.Count <= Most
        ? found.Told
        : [.. found.Told, new Problem(ProblemKind.Invalid, "ValidationError", $"There are {found.Count - Most} more problems.") { Target = Root }];

    /// <summary>Findings about a part that is read as if it were a job of its own: <c>properties</c> in their paths becomes <paramref name="path"/>.</summary>
    public Findings Under(string path) => new(found, path);

    public void Invalid(string path, string message) => Add(path, new Problem(ProblemKind.Invalid, "ValidationError", message));

    public void Unsupported(string path, string message) => Add(path, new Problem(ProblemKind.Unsupported, "OperationNotSupported", message));

    /// <summary>A problem that is told before all others, however many there are.</summary>
    public void InvalidAboveAll(string path, string message)
    {
        found.Count++;
        found.Told.Insert(0, new Problem(ProblemKind.Invalid, "ValidationError", message) { Target = Cut(At(path)) });
        if (found.Told.Count > Most)
        {
            found.Told.RemoveAt(Most);
        }
    }

    /// <summary>Takes over a problem of another module, under the member that led to it.</summary>
    public void Add(string path, Problem problem)
    {
        if (++found.Count > Most)
        {
            return;
        }

        var kind = problem.Kind is ProblemKind.Unsupported ? ProblemKind.Unsupported : ProblemKind.Invalid;
        found.Told.Add(new Problem(kind, problem.Code, Cut(problem.Message)) { Target = Cut(At(path)) });
    }

    /// <summary>The member as text; a finding when it is there and no scalar.</summary>
    public string? Scalar(JsonObject parent, string name, string path)
    {
        var node = parent[name];
        if (node is null or JsonValue)
        {
            return ZaffreJson.Text(node);
        }

        Invalid(Join(path, name), $"{name} must be a string, not {Kind(node)}.");
        return null;
    }

    /// <summary>The member as an object; empty when absent, a finding when it is something else.</summary>
    public JsonObject Map(JsonObject parent, string name, string path)
    {
        switch (parent[name])
        {
            case null:
                return [];
            case JsonObject map:
                return map;
            case var other:
                Invalid(Join(path, name), $"{name} must be an object, not {Kind(other)}.");
                return [];
        }
    }

    /// <summary>A map of scalars, such as tags.</summary>
    public Dictionary<string, string> Texts(JsonObject parent, string name, string path)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in Map(parent, name, path))
        {
            if (value is null or JsonValue)
            {
                texts[key] = ZaffreJson.Text(value) ?? "";
            }
            else
            {
                Invalid($"{Join(path, name)}.{key}", $"the value must be a string, not {Kind(value)}.");
            }
        }

        return texts;
    }

    /// <summary>The member as a boolean; a finding when it is something else.</summary>
    public bool Flag(JsonObject parent, string name, string path)
    {
        switch (parent[name])
        {
            case null:
                return false;
            case JsonValue value when value.TryGetValue<bool>(out var flag):
                return flag;
            case var other:
                Invalid(Join(path, name), $"{name} must be true or false, not {Kind(other)}.");
                return false;
        }
    }

    private static string Cut(string text) => text.Length <= Longest ? text : text[..Longest] + "...";

    private string At(string path) => path.StartsWith(Root, StringComparison.Ordinal) ? root + path[Root.Length..] : path;

    public static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    public static string Kind(JsonNode node) => node.GetValueKind() switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "a string",
    };

    /// <summary>What all findings of one request share.</summary>
    private sealed class Found
    {
        public List<Problem> Told { get; } = [];

        public int Count { get; set; }
    }
}
