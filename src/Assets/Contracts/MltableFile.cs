using System.Text.RegularExpressions;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;

namespace Zaffre.Assets;

/// <summary>One of the <c>paths</c> of an <c>MLTable</c> file: <paramref name="Kind"/> is <c>file</c>, <c>folder</c> or <c>pattern</c>.</summary>
public sealed record MltablePath(string Kind, string Value);

/// <summary>What an <c>MLTable</c> file says of the files it stands for.</summary>
public sealed partial record MltableFile(IReadOnlyList<MltablePath> Paths)
{
    private static readonly string[] Kinds = ["file", "folder", "pattern"];

    /// <summary>Transformations that leave rows or files out: which files are meant is known only to who evaluates them.</summary>
    private static readonly string[] Selecting = ["take", "skip", "take_random_sample", "filter", "random_split"];

    /// <summary>Reads the text; a problem says what is wrong with it, or which transformation has no engine here.</summary>
    public static Outcome<MltableFile> Read(string text)
    {
        var problems = new List<Problem>();
        if (YamlFiles.Read("MLTable", text, problems) is not { } root)
        {
            return Problem.Combine(problems);
        }

        var paths = new List<MltablePath>();
        foreach (var map in root.MapList("paths", required: true) ?? [])
        {
            var kinds = Kinds.Where(map.Has).ToArray();
            if (kinds is [var kind] && map.Text(kind) is { Length: > 0 } value)
            {
                paths.Add(new MltablePath(kind, value));
            }
            else
            {
                map.Error(null, "each of the paths is a file, a folder or a pattern");
            }
        }

        if (problems.Count > 0)
        {
            return Problem.Combine(problems);
        }

        var selecting = root.Has("transformations") ? root.Json("transformations") : null;
        var found = selecting is null ? null : Selecting.FirstOrDefault(name => selecting.ToJsonString().Contains($"\"{name}\"", StringComparison.Ordinal));
        return found is null
            ? new MltableFile(paths)
            : new Problem(ProblemKind.Unsupported, "OperationNotSupported", $"The transformation '{found}' of an MLTable is not supported before a job: use mode ro_mount and load it in the job.");
    }

    /// <summary>What a glob matches below its folder: <c>*</c> and <c>?</c> within a name, <c>**</c> across folders.</summary>
    public static Func<string, bool> Glob(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        var expression = Token().Replace(pattern, match => match.Value switch
        {
            "**/" => "(.*/)?",
            "**" => ".*",
            "*" => "[^/]*",
            "?" => "[^/]",
            var text => Regex.Escape(text),
        });
        var regex = new Regex($"^{expression}\\z", RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.NonBacktracking, TimeSpan.FromSeconds(1));
        return regex.IsMatch;
    }

    [GeneratedRegex(@"\*\*/|\*\*|\*|\?|[^*?]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Token();
}
