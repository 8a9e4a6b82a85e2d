using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;

namespace Zaffre.Assets;

/// <summary>
/// A map of a YAML file, read key by key. Every reader reports a value of the wrong type at its place and answers null; keys that
/// no reader asked for are unknown keys. Not thread safe.
/// </summary>
public sealed class YamlMap
{
    private readonly YamlTable table;
    private readonly List<Problem> problems;
    private readonly HashSet<string> known = new(StringComparer.Ordinal) { "$schema" };
    private readonly Dictionary<string, YamlMap> children = new(StringComparer.Ordinal);

    internal YamlMap(YamlTable table, string file, string path, List<Problem> problems) =>
        (this.table, File, Path, this.problems) = (table, file, path, problems);

    /// <summary>The file it stands in, relative to the folder of the main file.</summary>
    public string File { get; }

    /// <summary>Dotted path in <see cref="File"/>; empty at the root.</summary>
    public string Path { get; }

    internal YamlTable Table => table;

    internal List<Problem> Problems => problems;

    /// <summary>Every key, in order.</summary>
    public IReadOnlyList<string> Keys => [.. table.Entries.Select(e => e.Key)];

    /// <summary>What stands under the key; does not make it a known one.</summary>
    public YamlShape ShapeOf(string key) => table.Find(key)?.Value switch
    {
        null => YamlShape.Missing,
        { IsNull: true } => YamlShape.Null,
        YamlText => YamlShape.Scalar,
        YamlList => YamlShape.List,
        _ => YamlShape.Map,
    };

    /// <summary>True when there is a value that is not null.</summary>
    public bool Has(string key) => ShapeOf(key) is not (YamlShape.Missing or YamlShape.Null);

    /// <summary>The scalar's text exactly as it stands (<c>0.10</c> stays <c>0.10</c>).</summary>
    public string? Text(string key, bool required = false) => Read(key, required, "a scalar", node => (node as YamlText)?.Text);

    /// <summary>The value of an input, as text: in the words of the official clients, where <c>true</c> is <c>True</c> and <c>0.10</c> is <c>0.1</c>.</summary>
    public string? Literal(string key) => Read(key, required: false, "a scalar", node => node is YamlText text ? YamlLiteral.Of(text) : null);

    /// <summary>A list of such values.</summary>
    public IReadOnlyList<string>? LiteralList(string key) => Read(
        key, required: false, "a list of scalars", node => node is YamlList list && list.Items.All(i => i is YamlText) ? (IReadOnlyList<string>)[.. list.Items.Select(i => YamlLiteral.Of((YamlText)i))] : null);

    /// <summary>A whole number.</summary>
    public int? Integer(string key, bool required = false) => Read(
        key, required, "a whole number", node => int.TryParse((node as YamlText)?.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : (int?)null);

    /// <summary>A number.</summary>
    public double? Number(string key, bool required = false) => Read(
        key, required, "a number", node => double.TryParse((node as YamlText)?.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) && double.IsFinite(n) ? n : (double?)null);

    /// <summary>True or false.</summary>
    public bool? Flag(string key, bool required = false) => Read(
        key, required, "true or false", node => bool.TryParse((node as YamlText)?.Text, out var flag) ? flag : (bool?)null);

    /// <summary>One of the given words, compared without case, answered as given here.</summary>
    public string? Choice(string key, IReadOnlyList<string> choices, bool required = false) => Read(
        key, required, "one of " + string.Join(", ", choices), node => choices.FirstOrDefault(c => c.Equals((node as YamlText)?.Text, StringComparison.OrdinalIgnoreCase)));

    /// <summary>A map.</summary>
    public YamlMap? Map(string key, bool required = false) => Read(key, required, "a map", node => node is YamlTable t ? Child(key, t) : null);

    /// <summary>A list of scalars, as text.</summary>
    public IReadOnlyList<string>? TextList(string key, bool required = false) => Read(
        key, required, "a list of scalars", node => node is YamlList list && list.Items.All(i => i is YamlText) ? list.Items.Select(i => ((YamlText)i).Text).ToArray() : null);

    /// <summary>A list of maps.</summary>
    public IReadOnlyList<YamlMap>? MapList(string key, bool required = false) => Read(
        key, required, "a list of maps", node => node is YamlList list && list.Items.All(i => i is YamlTable) ? list.Items.Select((item, i) => Child($"{key}[{i}]", (YamlTable)item)).ToArray() : null);

    /// <summary>A map of scalars as JSON strings, such as <c>tags</c> and <c>environment_variables</c>; null values become empty strings.</summary>
    public JsonObject? Texts(string key, bool required = false) => Read(
        key,
        required,
        "a map of scalars",
        node => node is YamlTable t && t.Entries.All(e => e.Value is YamlText)
            ? new JsonObject(t.Entries.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)(e.Value.IsNull ? "" : ((YamlText)e.Value).Text))))
            : null);

    /// <summary>Anything, as JSON; plain scalars become numbers, booleans and null as YAML 1.2 says.</summary>
    public JsonNode? Json(string key, bool required = false) => Read(key, required, "a value", node => node.ToJson());

    /// <summary>The whole map as JSON; makes every key a known one.</summary>
    public JsonObject ToJson()
    {
        known.UnionWith(Keys);
        return (JsonObject)table.ToJson();
    }

    /// <summary>The map under the key, only to look at it: no key becomes a known one.</summary>
    public YamlMap? Peek(string key) => table.Find(key)?.Value is YamlTable below ? new YamlMap(below, File, PathOf(key), problems) : null;

    /// <summary>The scalar under the key, only to look at it.</summary>
    public string? PeekText(string key) => table.Find(key)?.Value is YamlText { IsNull: false } text ? text.Text : null;

    /// <summary>Keys that may stand here and mean nothing on loading (output only).</summary>
    public void Ignore(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            known.Add(key);
        }
    }

    /// <summary>Reports what is wrong at <paramref name="key"/>, or at the map itself when null.</summary>
    public void Error(string? key, string message) => problems.Add(new Problem(ProblemKind.Invalid, "InvalidYaml", message) { Target = At(key) });

    /// <summary>Reports a member that this server knows and has no engine for.</summary>
    public void Unsupported(string? key, string message) => problems.Add(new Problem(ProblemKind.Unsupported, "OperationNotSupported", message) { Target = At(key) });

    /// <summary><c>file:line:column path</c> of the key, or of the map; <c>--set path</c> of what <c>set</c> wrote.</summary>
    public string At(string? key)
    {
        var value = key is null ? table : table.Find(key)?.Value ?? table;
        return At(value.Line, value.Column, key is null ? Path : PathOf(key));
    }

    internal string At(int line, int column, string path) => line == 0 ? $"--set {path}" : $"{File}:{line}:{column} {path}".TrimEnd();

    internal string PathOf(string key) => Path.Length == 0 ? key : $"{Path}.{key}";

    /// <summary>Reports every key that no reader asked for, here and in the maps that were read below.</summary>
    public void RejectUnknown()
    {
        foreach (var entry in table.Entries.Where(e => !known.Contains(e.Key)))
        {
            problems.Add(new Problem(ProblemKind.Invalid, "InvalidYaml", $"unknown key '{entry.Key}'")
            {
                Target = At(entry.Line, entry.Column, PathOf(entry.Key)),
            });
        }

        foreach (var child in children.Values)
        {
            child.RejectUnknown();
        }
    }

    private YamlMap Child(string key, YamlTable node)
    {
        if (!children.TryGetValue(key, out var child))
        {
            children[key] = child = new YamlMap(node, File, PathOf(key), problems);
        }

        return child;
    }

    private T? Read<T>(string key, bool required, string expected, Func<YamlNode, T?> read)
    {
        known.Add(key);
        if (table.Find(key)?.Value is not { IsNull: false } node)
        {
            if (required)
            {
                Error(table.Find(key) is null ? null : key, $"'{key}' is required");
            }

            return default;
        }

        var value = read(node);
        if (value is null && !(typeof(T) == typeof(JsonNode)))
        {
            Error(key, $"'{key}' must be {expected}");
        }

        return value;
    }
}
