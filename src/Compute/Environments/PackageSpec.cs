using System.Text.RegularExpressions;

namespace Zaffre.Compute.Environments;

/// <summary>One declared package: its normalized name and what its version must satisfy. <paramref name="Text"/> is as the user wrote it.</summary>
internal sealed partial record PackageSpec(string Text, string Name, IReadOnlyList<(string Operator, string Version)> Conditions)
{
    private static readonly Dictionary<string, string> CondaNames = new(StringComparer.Ordinal)
    {
        ["pytorch"] = "torch", ["pytorch-cpu"] = "torch", ["py-xgboost"] = "xgboost", ["opencv"] = "opencv-python", ["matplotlib-base"] = "matplotlib", ["msgpack-python"] = "msgpack",
    };

    /// <summary>The same as a requirement of pip.</summary>
    public string Requirement { get; private init; } = Name + string.Join(',', Conditions.Select(c => c.Operator + c.Version));

    /// <summary>The extras that are asked for: <c>name[extra,...]</c>.</summary>
    public IReadOnlyList<string> Extras => ExtrasForm().Match(Requirement) is { Success: true } match
        ? match.Groups["extras"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        : [];

    /// <summary>This version and no other.</summary>
    public static PackageSpec Exactly(string name, string version) => new($"{name}=={version}", name, [("==", version)]);

    /// <summary>A requirement of pip, or null for a line that declares none (blank, comment, option).</summary>
    public static PackageSpec? Pip(string line)
    {
        var text = line.Split(" #")[0].Split(';')[0].Trim();
        if (text.Length == 0 || text[0] is '#' or '-')
        {
            return null;
        }

        var match = PipForm().Match(text);
        return match.Success
            ? new PackageSpec(text, Normalize(match.Groups["name"].Value), Parse(match.Groups["versions"].Value)) { Requirement = line.Split(" #")[0].Trim() }
            : new PackageSpec(text, text, [("===", "an address")]) { Requirement = line.Split(" #")[0].Trim() };
    }

    /// <summary>A dependency of conda: <c>numpy</c>, <c>numpy=1.2</c> (any 1.2.x), <c>numpy==1.2.3</c>, <c>numpy&gt;=1.2,&lt;2</c>, with channel and build ignored.</summary>
    public static PackageSpec Conda(string line)
    {
        var text = line.Trim();
        var match = CondaForm().Match(text);
        var name = Normalize(match.Success ? match.Groups["name"].Value : text);
        var versions = match.Groups["versions"].Value.Trim();
        if (versions.Length > 1 && versions[0] == '=' && versions[1] != '=')
        {
            var version = versions[1..].Split('=')[0].Trim();
            versions = version.EndsWith('*') ? "==" + version : $"=={version}.*";
        }

        return new PackageSpec(text, CondaNames.GetValueOrDefault(name, name), Parse(versions.Replace(' ', ',')));
    }

    public bool IsSatisfiedBy(string version) => Conditions.All(c => PackageVersion.Satisfies(version, c.Operator, c.Version));

    public static string Normalize(string name) => Separators().Replace(name, "-").ToLowerInvariant();

    private static List<(string, string)> Parse(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(part => ConditionForm().Match(part)).Where(m => m.Success).Select(m => (m.Groups["operator"].Value, m.Groups["version"].Value.Trim()))];

    [GeneratedRegex(@"^(?<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*\(?(?<versions>(?:[<>=!~].*?)?)\)?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PipForm();

    [GeneratedRegex(@"^(?:[\w./-]+::)?(?<name>[A-Za-z0-9_][A-Za-z0-9._-]*?)\s*(?<versions>(?:[<>=!~].*)?)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex CondaForm();

    [GeneratedRegex(@"^(?<operator>===|==|>=|<=|!=|~=|<|>)\s*(?<version>\S+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ConditionForm();

    [GeneratedRegex(@"^[A-Za-z0-9._-]+\s*\[(?<extras>[^\]]*)\]", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ExtrasForm();

    [GeneratedRegex("[-_.]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Separators();
}
