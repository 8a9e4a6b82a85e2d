using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>What a conda file declares: packages, those of its pip section included, and the options of that section (<c>--extra-index-url ...</c>).</summary>
internal sealed record DeclaredPackages(IReadOnlyList<PackageSpec> Packages, IReadOnlyList<string> PipOptions)
{
    /// <summary>Whether packages are listed that a channel of conda would bring; channels are not asked, so pip has to have them.</summary>
    public bool AsksConda { get; init; }

    /// <summary>Whether these are exact versions of everything, as a lock has them: then nothing else may stand in, and each that is missing is named.</summary>
    public bool Exact { get; init; }

    private const int Limit = 1 << 20;
    private const int DepthLimit = 32;

    public static Outcome<DeclaredPackages> Read(string? condaFile)
    {
        if (string.IsNullOrWhiteSpace(condaFile))
        {
            return new DeclaredPackages([], []);
        }

        if (condaFile.Length > Limit)
        {
            return Invalid("it is larger than 1 MiB");
        }

        try
        {
            if (IsTooDeep(condaFile))
            {
                return Invalid($"it is nested deeper than {DepthLimit} levels");
            }

            var yaml = new YamlStream();
            yaml.Load(new StringReader(condaFile));
            return yaml.Documents is [{ RootNode: YamlMappingNode root }]
                ? Collect(root)
                : Invalid("it must be one YAML mapping");
        }
        catch (YamlException e)
        {
            return Invalid($"line {e.Start.Line}, column {e.Start.Column}: {e.Message}");
        }
        catch (InvalidOperationException e)
        {
            // The library throws this for some texts that are no YAML.
            return Invalid(e.Message);
        }
    }

    // Loading recurses by depth, so depth is measured on the flat stream of events first.
    private static bool IsTooDeep(string text)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current is MappingStart or SequenceStart ? 1 : parser.Current is MappingEnd or SequenceEnd ? -1 : 0;
            if (depth > DepthLimit)
            {
                return true;
            }
        }

        return false;
    }

    // Of another file that a line names nothing was sent along. Short options may stand before their value without a blank.
    private static readonly string[] FileOptions = ["-r", "-c", "-e", "--requirement", "--constraint", "--editable"];

    private static bool NamesFile(string line) => FileOptions.Any(option => line.StartsWith(option, StringComparison.Ordinal));

    private static Outcome<DeclaredPackages> Collect(YamlMappingNode root)
    {
        var found = new List<PackageSpec>();
        var options = new List<string>();
        var list = root.Children.TryGetValue(new YamlScalarNode("dependencies"), out var given) ? given : new YamlSequenceNode();
        if (list is not YamlSequenceNode sequence)
        {
            return list is YamlScalarNode { Value: null or "" or "~" or "null" } ? new DeclaredPackages([], []) : Wrong(list, "'dependencies' must be a list");
        }

        foreach (var entry in sequence.Children)
        {
            if (entry is YamlScalarNode { Value: var text })
            {
                if (!string.IsNullOrEmpty(text))
                {
                    found.Add(PackageSpec.Conda(text));
                }
            }
            else if (entry is not YamlMappingNode { Children: { Count: 1 } map } || !map.TryGetValue(new YamlScalarNode("pip"), out var pip))
            {
                return Wrong(entry, "an entry of 'dependencies' is a package, or 'pip:' with a list of packages");
            }
            else if (pip is not YamlSequenceNode lines)
            {
                if (pip is not YamlScalarNode { Value: null or "" })
                {
                    return Wrong(pip, "'pip' must be a list of packages");
                }
            }
            else
            {
                var texts = lines.Children.OfType<YamlScalarNode>().Select(line => (line.Value ?? "").Trim()).ToList();
                if (texts.FirstOrDefault(line => line.Any(char.IsControl)) is { } odd)
                {
                    return Invalid($"the line '{odd.ReplaceLineEndings(" ")}' of its pip section is more than one line");
                }

                found.AddRange(texts.Select(PackageSpec.Pip).OfType<PackageSpec>());
                options.AddRange(texts.Where(line => line.StartsWith('-')));
            }
        }

        return options.FirstOrDefault(NamesFile) is { } other
            ? Invalid($"the line '{other}' of its pip section names another file, which is not part of the environment; write the packages into the conda file")
            : new DeclaredPackages(found, options) { AsksConda = sequence.Children.OfType<YamlScalarNode>().Any(entry => PackageSpec.Conda(entry.Value ?? "").Name is { Length: > 0 } name and not "python" && !EnvironmentResolver.IsTool(name)) };
    }

    private static Problem Wrong(YamlNode at, string what) => Invalid(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"line {at.Start.Line}, column {at.Start.Column}: {what}"));

    private static Problem Invalid(string why) => new(ProblemKind.Invalid, "InvalidCondaFile", $"The conda file cannot be read: {why}.") { Target = "properties.condaFile" };
}
