using System.IO.Enumeration;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>
/// Azure's ready-made environments (<c>AzureML-*</c> in every workspace, and those of the registry <c>azureml</c>): a table says which packages a name stands for.
/// Nothing is stored: they are there for as long as the table names them. An environment that a workspace registered under such a name wins.
/// </summary>
internal sealed partial class CuratedEnvironments(DataDirectory data)
{
    /// <summary>The member of a document that marks it as one of these.</summary>
    public const string Mark = "curated";

    private const string FileName = "curated-environments.yml";
    private static readonly DateTimeOffset Since = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly Lazy<IReadOnlyList<Entry>> Shipped = new(() => Read(Embedded(), FileName).Value);

    private readonly Lock gate = new();
    private (DateTime Written, Outcome<IReadOnlyList<Entry>> Entries)? own;

    private sealed record Entry(IReadOnlyList<string> Names, IReadOnlyList<string> Packages);

    private string File => data.Path(FileName);

    /// <summary>Whether a name is one that only the table can explain.</summary>
    public static bool IsCurated(string name) => name.StartsWith("AzureML-", StringComparison.OrdinalIgnoreCase);

    /// <summary>Name and version of a reference to the registry <c>azureml</c>, else null.</summary>
    public static (string Name, string Version)? OfRegistry(string reference) => RegistryForm().Match(reference) is { Success: true } match
        ? (match.Groups["name"].Value, match.Groups["version"].Value)
        : null;

    /// <summary>The environment of a name in a workspace; any version is taken, a label is version 1. The problem says that no entry fits, or that the table cannot be read.</summary>
    public Outcome<Resource> Find(WorkspaceRef workspace, string name, string version)
    {
        if (!Own().TryGet(out var entries, out var unreadable))
        {
            return unreadable;
        }

        return entries.Concat(Shipped.Value).FirstOrDefault(e => e.Names.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name))) is { } entry
            ? Made(workspace, name, AssetNames.IsLabel(version) ? "1" : version, entry)
            : new Problem(ProblemKind.NotFound, "ResourceNotFound", $"The curated environment '{name}' is not known here. Add its packages to {File}, register an environment under this name, or name an image and packages.");
    }

    private static Resource Made(WorkspaceRef workspace, string name, string version, Entry entry) => new()
    {
        Id = workspace.Child(AssetTypes.Segment(AssetType.Environment), name).Child("versions", version),
        Document = new JsonObject
        {
            [Mark] = true,
            ["properties"] = new JsonObject
            {
                ["description"] = "A ready-made environment of Azure ML, as this server makes it real.",
                ["image"] = $"mcr.microsoft.com/azureml/curated/{name.ToLowerInvariant()}",
                ["condaFile"] = "dependencies:\n- python\n" + string.Concat(entry.Packages.Select(package => $"- {package}\n")),
                ["isAnonymous"] = false,
                ["isArchived"] = false,
            },
        },
        Revision = 1,
        Sequence = 0,
        CreatedBy = "Zaffre",
        CreatedByType = "Application",
        CreatedAt = Since,
        LastModifiedBy = "Zaffre",
        LastModifiedByType = "Application",
        LastModifiedAt = Since,
    };

    private Outcome<IReadOnlyList<Entry>> Own()
    {
        lock (gate)
        {
            var written = System.IO.File.GetLastWriteTimeUtc(File);
            if (own is null || own.Value.Written != written)
            {
                own = (written, System.IO.File.Exists(File) ? Read(System.IO.File.ReadAllText(File), File) : Array.Empty<Entry>());
            }

            return own.Value.Entries;
        }
    }

    private static string Embedded()
    {
        using var reader = new StreamReader(typeof(CuratedEnvironments).Assembly.GetManifestResourceStream(FileName)!);
        return reader.ReadToEnd();
    }

    private static Outcome<IReadOnlyList<Entry>> Read(string text, string file)
    {
        try
        {
            return YamlParser.Parse(text) is YamlList list
                ? list.Items.Select(Read).ToArray()
                : throw new YamlFault("a list of entries is wanted", 1, 1);
        }
        catch (YamlFault fault)
        {
            return new Problem(ProblemKind.Invalid, "InvalidCuratedEnvironments", $"{file}, line {fault.Line}, column {fault.Column}: {fault.Message}.");
        }
    }

    private static Entry Read(YamlNode item)
    {
        var names = Texts(item, "names");
        return names.Count > 0 ? new Entry(names, Texts(item, "packages")) : throw new YamlFault("an entry needs 'names', a list of them", item.Line, item.Column);
    }

    private static List<string> Texts(YamlNode item, string member) => (item as YamlTable)?.Find(member)?.Value switch
    {
        null => [],
        YamlList list => [.. list.Items.Select(text => text is YamlText { IsNull: false } one ? one.Text : throw new YamlFault($"'{member}' is a list of texts", text.Line, text.Column))],
        var other => throw new YamlFault($"'{member}' is a list of texts", other.Line, other.Column),
    };

    [GeneratedRegex(@"^azureml://registries/azureml/environments/(?<name>[A-Za-z0-9_][A-Za-z0-9_.\-]{0,254})/(versions|labels)/(?<version>[A-Za-z0-9_][A-Za-z0-9_.\-]{0,254})\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex RegistryForm();
}
