using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>The packages that a conda file declares, those of its pip section included.</summary>
internal static class DeclaredPackages
{
    private const int Limit = 1 << 20;
    private const int DepthLimit = 32;

    public static Outcome<IReadOnlyList<PackageSpec>> Read(string? condaFile)
    {
        if (string.IsNullOrWhiteSpace(condaFile))
        {
            return Array.Empty<PackageSpec>();
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

    private static List<PackageSpec> Collect(YamlMappingNode root)
    {
        var found = new List<PackageSpec>();
        foreach (var entry in root.Children.TryGetValue(new YamlScalarNode("dependencies"), out var list) && list is YamlSequenceNode sequence ? sequence.Children : [])
        {
            if (entry is YamlScalarNode { Value: { Length: > 0 } text })
            {
                found.Add(PackageSpec.Conda(text));
            }
            else if (entry is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode("pip"), out var pip) && pip is YamlSequenceNode lines)
            {
                found.AddRange(lines.Children.OfType<YamlScalarNode>().Select(line => PackageSpec.Pip(line.Value ?? "")).OfType<PackageSpec>());
            }
        }

        return found;
    }

    private static Problem Invalid(string why) => new(ProblemKind.Invalid, "InvalidCondaFile", $"The conda file cannot be read: {why}.") { Target = "properties.condaFile" };
}
