using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Zaffre.Cli.Mlflow;

/// <summary>What went over so far, so that versions of models can name the runs and logged models that they were made of; and names that assets can have.</summary>
internal sealed partial class VersionSources(TransferReport report)
{
    private readonly HashSet<string> runs = new(StringComparer.Ordinal);
    private readonly HashSet<string> models = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> names = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The tag that keeps the name that a model had.</summary>
    public const string NameTag = "zaffre.import.name";

    public void AddRun(string id) => runs.Add(id);

    public void AddModel(string id) => models.Add(id);

    public bool HasRun(string? id) => id is not null && runs.Contains(id);

    public bool HasModel(string? id) => id is not null && models.Contains(id);

    /// <summary>The source as the destination understands it, or null when the files of the version are to be carried over by themselves.</summary>
    public string? Known(string? source)
    {
        if (source is null)
        {
            return null;
        }

        if (source.StartsWith("runs:/", StringComparison.Ordinal))
        {
            return HasRun(source["runs:/".Length..].Split('/')[0]) ? source : null;
        }

        if (source.StartsWith("models:/m-", StringComparison.Ordinal))
        {
            return HasModel(source["models:/".Length..].Split('/')[0]) ? source : null;
        }

        if (InModel().Match(source) is { Success: true } model && HasModel(model.Groups["id"].Value))
        {
            return $"models:/{model.Groups["id"].Value}{model.Groups["path"].Value}";
        }

        return InRun().Match(source) is { Success: true } run && HasRun(run.Groups["id"].Value) ? $"runs:/{run.Groups["id"].Value}{run.Groups["path"].Value}" : null;
    }

    /// <summary>A name that assets can have: other characters become '-'; names that then are the same get a number.</summary>
    public string Name(string name, JsonObject tags)
    {
        if (names.TryGetValue(name, out var given))
        {
            return given;
        }

        var legal = Illegal().Replace(name, "-") is var replaced && replaced is ['-' or '.', ..] ? "_" + replaced : replaced;
        var unique = legal;
        for (var i = 2; names.ContainsValue(unique); i++)
        {
            unique = $"{legal}-{i}";
        }

        names[name] = unique;
        if (unique != name)
        {
            tags[NameTag] = name;
            report.Note($"The model '{name}' is called '{unique}' here: names of assets have letters, digits, '-', '_' and '.' only. Its tag {NameTag} keeps the name.");
        }

        return unique;
    }

    [GeneratedRegex(@"/(?<id>[0-9a-f]{32})/artifacts(?<path>/.*)?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex InRun();

    [GeneratedRegex(@"/models/(?<id>m-[0-9a-f]{32})/artifacts(?<path>/.*)?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex InModel();

    [GeneratedRegex(@"[^A-Za-z0-9_.\-]", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Illegal();
}
