using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>
/// What is installed for the host's Python: versions by normalized name (the interpreter's own under <c>python</c>), and what each package requires, by extra
/// (empty for what it always requires), as <c>name</c> or <c>name[extra,...]</c>.
/// </summary>
internal sealed record HostPackages(IReadOnlyDictionary<string, string> Versions, IReadOnlyDictionary<string, IReadOnlyDictionary<string, IReadOnlyList<string>>> Requires)
{
    /// <summary>The answer of <c>host.py</c>.</summary>
    public static HostPackages Read(JsonObject answer)
    {
        var versions = new Dictionary<string, string>(StringComparer.Ordinal) { ["python"] = answer.Text("python")! };
        var requires = new Dictionary<string, IReadOnlyDictionary<string, IReadOnlyList<string>>>(StringComparer.Ordinal);
        foreach (var (name, package) in answer["packages"]!.AsObject())
        {
            var key = PackageSpec.Normalize(name);
            if (versions.TryAdd(key, package!["version"]!.GetValue<string>()))
            {
                // Old metadata says an extra under two spellings.
                requires[key] = package["requires"]!.AsObject().GroupBy(extra => PackageSpec.Normalize(extra.Key), StringComparer.Ordinal).ToDictionary(
                    extra => extra.Key, extra => (IReadOnlyList<string>)[.. extra.SelectMany(one => one.Value!.AsArray()).Select(one => one!.GetValue<string>())], StringComparer.Ordinal);
            }
        }

        return new HostPackages(versions, requires);
    }

    /// <summary>The versions of these packages and of everything that they require, as far as it is installed.</summary>
    public SortedDictionary<string, string> Closure(IEnumerable<PackageSpec> roots)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var seen = new HashSet<(string Name, string Extra)>();
        var open = new Queue<(string Name, string Extra)>(roots.SelectMany(root => Asked(root.Name, root.Extras)));
        while (open.TryDequeue(out var next))
        {
            if (!seen.Add(next) || !Versions.TryGetValue(next.Name, out var version))
            {
                continue;
            }

            found[next.Name] = version;
            foreach (var required in Requires.GetValueOrDefault(next.Name)?.GetValueOrDefault(next.Extra) ?? [])
            {
                var bracket = required.IndexOf('[', StringComparison.Ordinal);
                var (name, extras) = bracket < 0 ? (required, "") : (required[..bracket], required[(bracket + 1)..^1]);
                foreach (var one in Asked(PackageSpec.Normalize(name), extras.Split(',', StringSplitOptions.RemoveEmptyEntries)))
                {
                    open.Enqueue(one);
                }
            }
        }

        return found;
    }

    private static IEnumerable<(string Name, string Extra)> Asked(string name, IEnumerable<string> extras) =>
        extras.Select(PackageSpec.Normalize).Prepend("").Select(extra => (name, extra));
}
