using System.Text.RegularExpressions;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>A package, or the interpreter, of which another version is here than is wanted; <paramref name="Found"/> is null when there is none.</summary>
internal sealed record Divergence(string Name, string? Wanted, string? Found);

/// <summary>
/// Virtual environments that are held to a lock: the one of the declaration when it has the very versions, else one that is built of these versions alone, in
/// the same cache and found by the same kind of key.
/// </summary>
internal sealed partial class PinnedEnvironments(VirtualEnvironments built, EnvironmentCache cache)
{
    private const int MostLog = 1 << 20;

    /// <summary>The environment of the request's lock. <paramref name="here"/> is what the problem says was found where no index has anything.</summary>
    public async Task<Outcome<BuiltEnvironment>> HaveAsync(
        EnvironmentRequest request, DeclaredPackages declared, EnvironmentFoundation foundation, IReadOnlyDictionary<string, string> here, CancellationToken ct)
    {
        var wanted = Exact(request.Lock!);
        var plain = built.Find(VirtualEnvironments.KeyOf(declared, foundation), foundation);
        if (plain is not null && Divergences(wanted, plain.Locked).Count == 0 && plain.Locked.Count == wanted.Count)
        {
            return plain;
        }

        var pinned = Pin(wanted, declared);
        var key = VirtualEnvironments.KeyOf(pinned, foundation);
        if (built.Find(key, foundation) is not { } environment)
        {
            request.Building?.Invoke(key);
            if (!(await built.BuildAsync(key, pinned, foundation, ct)).TryGet(out environment, out var why))
            {
                return why.Code == "EnvironmentNotBuilt" ? NotHad(Missing(key, wanted, plain?.Packages ?? here), $"{why.Message.TrimEnd('.')} (the log of its build: zaffre environment log --key {key})") : why;
            }
        }

        return Divergences(wanted, environment.Packages) is { Count: > 0 } other ? NotHad(other, "pip installed other versions than it was told to") : environment;
    }

    /// <summary>The environment of then is not to be had: every version that is wanted and what was found in its place.</summary>
    public static Problem NotHad(IReadOnlyCollection<Divergence> divergences, string why) => new(
        ProblemKind.Invalid,
        "EnvironmentNotSatisfied",
        $"The environment of the first run cannot be had again: {string.Join("; ", divergences.Select(one => $"{one.Name} {one.Wanted ?? "none"} is wanted, {one.Found ?? "none"} was found"))}. The reason: {why}. A rerun with --environment-as-now takes the environment as it is now.");

    /// <summary>Those of the wanted packages of which another version is here, or none.</summary>
    public static IReadOnlyList<Divergence> Divergences(IReadOnlyDictionary<string, string> wanted, IReadOnlyDictionary<string, string> here) =>
        [.. wanted.Where(package => here.GetValueOrDefault(package.Key) != package.Value).Select(package => new Divergence(package.Key, package.Value, here.GetValueOrDefault(package.Key)))];

    /// <summary>A stand-in is there in every environment, behind what is installed.</summary>
    private static Dictionary<string, string> Exact(EnvironmentLock wanted) => wanted.Packages.Where(package => package.Value != EnvironmentLock.StandIn).ToDictionary(StringComparer.Ordinal);

    // What is declared by an address has no other place to come from; its version is held beside it.
    private static DeclaredPackages Pin(Dictionary<string, string> wanted, DeclaredPackages declared)
    {
        var addresses = declared.Packages.Where(spec => spec.Conditions is [("===", "an address")] || spec.Requirement.Contains(" @ ", StringComparison.Ordinal));
        return new DeclaredPackages([.. addresses, .. wanted.OrderBy(package => package.Key, StringComparer.Ordinal).Select(package => PackageSpec.Exactly(package.Key, package.Value))], declared.PipOptions) { Exact = true };
    }

    /// <summary>What pip said that it has in place of the wanted; where it said nothing of the kind, what is here.</summary>
    private IReadOnlyList<Divergence> Missing(string key, Dictionary<string, string> wanted, IReadOnlyDictionary<string, string> here)
    {
        var log = TaskFile.TryRead(cache.FolderOf(key), "build.log", MostLog) ?? "";
        var named = new Dictionary<string, Divergence>(StringComparer.Ordinal);
        foreach (Match match in Absent().Matches(log))
        {
            var (name, versions) = (PackageSpec.Normalize(match.Groups["name"].Value), match.Groups["versions"].Value);
            if (wanted.TryGetValue(name, out var version))
            {
                named[name] = new Divergence(name, version, versions == "none" ? here.GetValueOrDefault(name) : versions);
            }
        }

        return named.Count > 0 ? [.. named.Values] : Divergences(wanted, here);
    }

    [GeneratedRegex(@"Could not find a version that satisfies the requirement (?<name>[A-Za-z0-9._-]+)==\S+ \(from versions: (?<versions>[^)]*)\)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Absent();
}
