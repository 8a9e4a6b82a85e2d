using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Zaffre.Assets.Yaml;

/// <summary>What is wrong with a YAML text, and where (1-based).</summary>
internal sealed class YamlFault(string message, int line, int column) : Exception(message)
{
    public int Line { get; } = line;

    public int Column { get; } = column;
}

/// <summary>Parses one YAML document into <see cref="YamlNode"/>s, with bounds on depth and on nodes after alias expansion.</summary>
internal sealed class YamlParser
{
    public const int MaxDepth = 64;
    public const int MaxNodes = 20_000;

    private readonly Dictionary<string, (YamlNode Node, int Size)> anchors = new(StringComparer.Ordinal);
    private readonly Parser events;
    private int nodes;

    private YamlParser(string text) => events = new Parser(new Scanner(new StringReader(text), skipComments: true));

    /// <summary>The root of the only document; throws <see cref="YamlFault"/>.</summary>
    public static YamlNode Parse(string text)
    {
        var parser = new YamlParser(text);
        try
        {
            return parser.Document();
        }
        catch (YamlException wrong)
        {
            throw new YamlFault(wrong.Message, (int)wrong.Start.Line, (int)wrong.Start.Column);
        }
        catch (Exception wrong) when (wrong is not YamlFault)
        {
            // The scanner leaves its own contract on some broken texts and throws whatever its state leads to.
            var at = parser.events.Current?.End ?? Mark.Empty;
            throw new YamlFault("this is not valid YAML", (int)at.Line, (int)at.Column);
        }
    }

    private YamlNode Document()
    {
        events.Consume<StreamStart>();
        if (!events.TryConsume<DocumentStart>(out _))
        {
            return new YamlTable([], 1, 1);
        }

        var root = Node(1);
        events.Consume<DocumentEnd>();
        return events.TryConsume<StreamEnd>(out _)
            ? root
            : throw Fault("a file must hold one document", events.Current!.Start);
    }

    private YamlNode Node(int depth)
    {
        if (depth > MaxDepth)
        {
            throw Fault($"nested deeper than {MaxDepth} levels", events.Current!.Start);
        }

        var before = nodes;
        Count(1, events.Current!.Start);
        if (events.TryConsume<AnchorAlias>(out var alias))
        {
            return Expand(alias);
        }

        (AnchorName anchor, YamlNode node) = events.Current switch
        {
            Scalar scalar => (scalar.Anchor, (YamlNode)Text(scalar)),
            SequenceStart sequence => (sequence.Anchor, List(sequence, depth)),
            MappingStart mapping => (mapping.Anchor, Table(mapping, depth)),
            var other => throw Fault("unexpected content", other!.Start),
        };
        if (!anchor.IsEmpty)
        {
            anchors[anchor.Value] = (node, nodes - before);
        }

        return node;
    }

    private YamlNode Expand(AnchorAlias alias)
    {
        if (!anchors.TryGetValue(alias.Value.Value, out var target))
        {
            throw Fault($"unknown or recursive alias '*{alias.Value.Value}'", alias.Start);
        }

        Count(target.Size, alias.Start);
        return target.Node;
    }

    private YamlText Text(Scalar scalar)
    {
        events.MoveNext();
        RefuseTag(scalar);
        var text = !scalar.Tag.IsEmpty && scalar.Tag.Value.EndsWith(":str", StringComparison.Ordinal);
        return new YamlText(scalar.Value, scalar.Style == ScalarStyle.Plain && !text, (int)scalar.Start.Line, (int)scalar.Start.Column);
    }

    private YamlList List(SequenceStart start, int depth)
    {
        events.MoveNext();
        RefuseTag(start);
        var items = new List<YamlNode>();
        while (!events.TryConsume<SequenceEnd>(out _))
        {
            items.Add(Node(depth + 1));
        }

        return new YamlList(items, (int)start.Start.Line, (int)start.Start.Column);
    }

    private YamlTable Table(MappingStart start, int depth)
    {
        events.MoveNext();
        RefuseTag(start);
        var entries = new Dictionary<string, YamlEntry>(StringComparer.Ordinal);
        var merged = new List<YamlNode>();
        while (!events.TryConsume<MappingEnd>(out _))
        {
            var at = events.Current!.Start;
            if (Node(depth + 1) is not YamlText key)
            {
                throw Fault("a key must be a scalar", at);
            }

            var value = Node(depth + 1);
            if (key is { Text: "<<", Plain: true })
            {
                merged.Add(value);
            }
            else if (!entries.TryAdd(key.Text, new YamlEntry(key.Text, value, key.Line, key.Column)))
            {
                throw new YamlFault($"key '{key.Text}' stands twice", key.Line, key.Column);
            }
        }

        Merge(entries, merged);
        return new YamlTable([.. entries.Values], (int)start.Start.Line, (int)start.Start.Column);
    }

    private static void Merge(Dictionary<string, YamlEntry> entries, List<YamlNode> merged)
    {
        foreach (var source in merged.SelectMany(node => node is YamlList list ? list.Items : [node]))
        {
            if (source is not YamlTable table)
            {
                throw new YamlFault("'<<' must name a map or a list of maps", source.Line, source.Column);
            }

            foreach (var entry in table.Entries)
            {
                entries.TryAdd(entry.Key, entry);
            }
        }
    }

    private static void RefuseTag(NodeEvent node)
    {
        if (!node.Tag.IsEmpty && node.Tag.Value is not ("?" or "!") && !node.Tag.Value.StartsWith("tag:yaml.org,2002:", StringComparison.Ordinal))
        {
            throw Fault($"tag '{node.Tag.Value}' is not supported", node.Start);
        }
    }

    private void Count(int more, Mark at)
    {
        nodes += more;
        if (nodes > MaxNodes)
        {
            throw Fault($"more than {MaxNodes} nodes after aliases are expanded", at);
        }
    }

    private static YamlFault Fault(string message, Mark at) => new(message, (int)at.Line, (int)at.Column);
}
