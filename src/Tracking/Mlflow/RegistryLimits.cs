using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Kernel;
using Zaffre.Resources;

namespace Zaffre.Tracking.Mlflow;

/// <summary>The registry's limits. Names are those of Azure's assets, which are narrower than MLflow's.</summary>
internal static partial class RegistryLimits
{
    private const int Alias = 255;
    private const int TagValue = 100_000;
    private const int AllTags = 2_000_000;

    /// <summary>The stages of a version, in MLflow's casing.</summary>
    public static IReadOnlyList<string> Stages { get; } = ["None", "Staging", "Production", "Archived"];

    public static string ModelName(string name) => ResourceName.Problem("name", name) is { } problem
        ? throw MlflowErrors.Invalid($"Invalid model name: '{(name.Length > 80 ? name[..80] + "..." : name)}'. {problem}")
        : name;

    public static (string Name, string Value) Tag(MlflowRequest tag)
    {
        var (name, value) = (tag.RequiredText("key"), tag.TextOrEmpty("value"));
        return name.Contains('\0', StringComparison.Ordinal) ? throw MlflowErrors.Invalid("Invalid value for parameter 'key' supplied: it contains a NUL character.")
            : name.Length > MlflowLimits.Key ? throw MlflowErrors.Invalid($"Tag key '{name[..50]}...' had length {name.Length}, which exceeded length limit of {MlflowLimits.Key}")
            : value.Length > TagValue ? throw MlflowErrors.Invalid($"Tag value '{value[..50]}...' had length {value.Length}, which exceeded length limit of {TagValue}")
            : (name, value);
    }

    /// <summary>The tags of a model or version are in its document, which every change writes anew: they do not grow beyond a bound.</summary>
    public static void CheckTags(JsonObject properties, JsonObject? before = null)
    {
        if (Characters(properties) is var now && now > AllTags && now > (before is null ? 0 : Characters(before)))
        {
            throw MlflowErrors.Invalid($"The tags of a model or of a version take at most {AllTags} characters together.");
        }
    }

    public static string AliasName(string alias)
    {
        if (alias.Length > Alias)
        {
            throw MlflowErrors.Invalid($"Registered model alias name '{alias[..50]}...' had length {alias.Length}, which exceeded length limit of {Alias}");
        }

        if (!AliasCharacters().IsMatch(alias))
        {
            throw MlflowErrors.Invalid($"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).");
        }

        return alias.Equals("latest", StringComparison.OrdinalIgnoreCase) ? throw MlflowErrors.Invalid("'latest' alias name (case insensitive) is reserved.")
            : VersionLike().IsMatch(alias) ? throw MlflowErrors.Invalid($"Version alias name '{alias}' is reserved.")
            : alias;
    }

    public static string Stage(string stage) => Stages.FirstOrDefault(known => known.Equals(stage, StringComparison.OrdinalIgnoreCase))
        ?? throw MlflowErrors.Invalid($"Invalid Model Version stage: {stage}. Value must be one of {string.Join(", ", Stages)}.");

    private static long Characters(JsonObject properties) => (properties.Object("tags") ?? []).Sum(tag => (long)tag.Key.Length + (tag.Value.Text()?.Length ?? 0));

    [GeneratedRegex(@"\A[\w\-]+\z", RegexOptions.NonBacktracking)]
    private static partial Regex AliasCharacters();

    [GeneratedRegex(@"\A[vV][0-9]+\z", RegexOptions.NonBacktracking)]
    private static partial Regex VersionLike();
}
