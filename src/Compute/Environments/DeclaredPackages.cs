using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>What a conda file declares: packages, those of its pip section included, and the options of that section (<c>--extra-index-url ...</c>).</summary>
internal sealed record DeclaredPackages(IReadOnlyList<PackageSpec> Packages, IReadOnlyList<string> PipOptions)
{
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
        foreach (var entry in root.Children.TryGetValue(new YamlScalarNode("dependencies"), out var list) && list is YamlSequenceNode sequence ? sequence.Children : [])
        {
            if (entry is YamlScalarNode { Value: { Length: > 0 } text })
            {
                found.Add(PackageSpec.Conda(text));
            }
            else if (entry is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode("pip"), out var pip) && pip is YamlSequenceNode lines)
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
            : new DeclaredPackages(found, options);
    }

    private static Problem Invalid(string why) => new(ProblemKind.Invalid, "InvalidCondaFile", $"The conda file cannot be read: {why}.") { Target = "properties.condaFile" };
}
