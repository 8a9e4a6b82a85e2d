using System.Text.Json.Nodes;
using Zaffre.Compute.Containers;
using Zaffre.Compute.Operator;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>
/// In this order: a container where the operator wants them for the compute; a virtual environment built before for what is declared; the host's interpreter when it has
/// every declared package (those with a stand-in of ours count as there); a new virtual environment. Outside of containers an image is not pulled: the host
/// stands in for it, and the explanation says so.
/// </summary>
internal sealed class EnvironmentResolver(HostInterpreter host, VirtualEnvironments built, EnvironmentCache cache, PipSettings pip, ComputeFile file, ContainerEnvironments containers) : IEnvironments
{
    private const int MostLog = 4 << 20;

    /// <summary>What serves to install, and is no matter of the user's code unless a package says so.</summary>
    public static readonly IReadOnlySet<string> Tools = new HashSet<string>(StringComparer.Ordinal) { "pip", "setuptools", "wheel", "conda" };

    // Package -> the module of ours that stands in for it.
    private static readonly Dictionary<string, string> StandIns = new(StringComparer.Ordinal)
    {
        ["mlflow"] = "mlflow", ["mlflow-skinny"] = "mlflow", ["azureml-mlflow"] = "mlflow",
        ["azureml-defaults"] = "azureml", ["azureml-inference-server-http"] = "azureml", ["azureml-contrib-services"] = "azureml",
        ["inference-schema"] = "inference_schema", ["mltable"] = "mltable",
    };

    private readonly PinnedEnvironments pinned = new(built, cache);

    private static readonly string StandInPath = Path.Combine(PythonRuntime.Path, "standins");

    public async Task<Outcome<RealEnvironment>> ResolveAsync(EnvironmentRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        var document = request.Document;
        if (!file.Read().TryGet(out var configuration, out var problem) || !DeclaredPackages.Read(document?.Text("condaFile")).TryGet(out var declared, out problem))
        {
            return problem;
        }

        if (ContainerEnvironments.Wanted(request, configuration.Containers))
        {
            return request.Lock is { Kind: not EnvironmentKind.Container } then
                ? PinnedEnvironments.NotHad([new Divergence("system", "the host's", "a container")], $"the operator runs containers on the compute '{request.Compute}' now")
                : await containers.ResolveAsync(request, configuration.Containers, declared, ct);
        }

        if (request.Lock is { Kind: EnvironmentKind.Container } image)
        {
            return PinnedEnvironments.NotHad([new Divergence("image", image.Image, "the host's system")], $"no containers run on the compute '{request.Compute}' now");
        }

        if (document is not null && WhyNever(document, request.Compute) is { } never)
        {
            return new Problem(ProblemKind.Unsupported, "OperationNotSupported", $"The environment {never}") { Target = "properties.build" };
        }

        if (!HostInterpreter.Exists)
        {
            return declared.Packages.Count == 0
                ? OnHost(document, ["This host has no Python interpreter; the command runs without one."], new EnvironmentLock(EnvironmentKind.Host, null))
                : Missing(declared.Packages.Select(p => p.Text), "this host has no Python interpreter (install python3)");
        }

        var python = await host.VersionAsync().WaitAsync(ct);
        if (request.Lock is { } held && held.Python != python)
        {
            return PinnedEnvironments.NotHad([new Divergence("python", held.Python, python)], "outside of containers the interpreter is the host's");
        }

        return declared.Packages.Count == 0 && request.Lock is null or { Packages.Count: 0 }
            ? OnHost(document, [$"Environment: the host's {HostInterpreter.Path} (Python {python}); no packages are declared.", .. ImageNote(document)], new EnvironmentLock(EnvironmentKind.Host, python))
            : request.Lock is { } wanted ? await LockedAsync(request, declared, wanted, ct)
            : await WithPackagesAsync(request, declared, ct);
    }

    public string? ReadBuildLog(string key) => EnvironmentCache.IsKey(key) ? TaskFile.TryRead(cache.FolderOf(key), "build.log", MostLog) : null;

    /// <summary>A tool of an environment rather than something that user code imports.</summary>
    public static bool IsTool(string name) => Tools.Contains(name);

    public static Problem Missing(IEnumerable<string> packages, string why) =>
        new(ProblemKind.Invalid, "EnvironmentNotSatisfied", $"The environment cannot be made real. Missing: {string.Join(", ", packages)}; {why}.");

    /// <summary>Packages are missing and the build of <paramref name="key"/> did not bring them.</summary>
    public static Problem NotBuilt(IEnumerable<string> packages, DeclaredPackages declared, Problem why, string key) => why.Code == "EnvironmentNotBuilt"
        ? Missing(packages, $"and a virtual environment could not be built: {why.Message} (its log: zaffre environment log --key {key}). An index for pip (the server's PIP_INDEX_URL, or /etc/pip.conf) or wheels in the folder 'wheels' of its data directory would give it packages{(declared.AsksConda ? "; what the conda file lists outside of its pip section is asked of pip too, since conda's channels are not used" : "")}")
        : why;

    /// <summary>What is declared, and what of it the host lacks: <c>Missing</c> is empty when the host will do.</summary>
    internal async Task<(string Key, EnvironmentFoundation Foundation, IReadOnlyList<string> Missing, IReadOnlyList<string> Lines)> CompareAsync(DeclaredPackages declared, CancellationToken ct)
    {
        var packages = (await host.PackagesAsync().WaitAsync(ct)).Versions;
        var foundation = new EnvironmentFoundation("", HostInterpreter.Path, packages["python"], null);
        var missing = new List<string>();
        var lines = new List<string> { $"Environment: the host's {HostInterpreter.Path} (Python {packages["python"]}) has every declared package." };
        foreach (var spec in declared.Packages.Where(spec => !IsTool(spec.Name)))
        {
            Check(spec, packages, missing, lines);
        }

        return (VirtualEnvironments.KeyOf(declared, foundation), foundation, missing, lines);
    }

    public string? WhyNever(JsonObject document, string? compute)
    {
        ArgumentNullException.ThrowIfNull(document);
        var settings = file.Read().TryGet(out var configuration, out _) ? configuration.Containers : new ContainerSettings();
        if (document["build"] is null || (settings.Covers(compute) && settings.Build))
        {
            return null;
        }

        var why = settings.Use == ContainerUse.Never ? "this server runs no containers"
            : compute is null ? "containers run for jobs only"
            : !settings.Covers(compute) ? $"no containers run on the compute '{compute}'"
            : "this server builds none";
        return $"is built from a Docker context, and {why}; declare the packages in a conda file, or let the server's operator configure containers (compute.yml).";
    }

    private async Task<Outcome<RealEnvironment>> WithPackagesAsync(EnvironmentRequest request, DeclaredPackages declared, CancellationToken ct)
    {
        var (key, foundation, missing, lines) = await CompareAsync(declared, ct);
        if (built.Find(key, foundation) is not { } environment)
        {
            if (missing.Count == 0)
            {
                return OnHost(request.Document, [.. lines, .. ImageNote(request.Document)], await HostLockAsync(declared, ct));
            }

            if (declared.Packages.Any(spec => spec.Name == "python" && !spec.IsSatisfiedBy(foundation.Version)))
            {
                return Missing(missing, "and a virtual environment has the host's Python: loosen its version");
            }

            request.Building?.Invoke(key);
            if (!(await built.BuildAsync(key, declared, foundation, ct)).TryGet(out environment, out var why))
            {
                return NotBuilt(missing, declared, why, key);
            }
        }

        cache.Touch(key);
        return InVirtualEnvironment(request.Document, environment, foundation);
    }

    /// <summary>What was there when the lock was made: the host or a virtual environment as they are when they still are that, else one of the very versions.</summary>
    private async Task<Outcome<RealEnvironment>> LockedAsync(EnvironmentRequest request, DeclaredPackages declared, EnvironmentLock wanted, CancellationToken ct)
    {
        var (_, foundation, missing, lines) = await CompareAsync(declared, ct);
        if (wanted.Kind == EnvironmentKind.Host && missing.Count == 0 && await HostLockAsync(declared, ct) is var now && now.Matches(wanted))
        {
            return OnHost(request.Document, [.. lines, "  These are the versions of the first run.", .. ImageNote(request.Document)], now);
        }

        var here = (await host.PackagesAsync().WaitAsync(ct)).Versions;
        if (!(await pinned.HaveAsync(request, declared, foundation, here, ct)).TryGet(out var environment, out var problem))
        {
            return problem;
        }

        cache.Touch(environment.Key);
        var real = InVirtualEnvironment(request.Document, environment, foundation);
        return real with { Explanation = [.. real.Explanation, "  These are the versions of the first run."] };
    }

    private async Task<EnvironmentLock> HostLockAsync(DeclaredPackages declared, CancellationToken ct)
    {
        var packages = await host.PackagesAsync().WaitAsync(ct);
        var roots = declared.Packages.Where(spec => spec.Name != "python" && !IsTool(spec.Name)).ToList();
        var found = packages.Closure(roots);
        foreach (var spec in roots.Where(spec => !found.ContainsKey(spec.Name) && StandIns.ContainsKey(spec.Name)))
        {
            found[spec.Name] = EnvironmentLock.StandIn;
        }

        return new EnvironmentLock(EnvironmentKind.Host, packages.Versions["python"]) { Packages = found };
    }

    private static void Check(PackageSpec spec, IReadOnlyDictionary<string, string> packages, List<string> missing, List<string> lines)
    {
        if (packages.TryGetValue(spec.Name, out var version))
        {
            if (spec.IsSatisfiedBy(version))
            {
                lines.Add($"  {spec.Text}: {version}");
            }
            else
            {
                missing.Add($"{spec.Text} (the host has {version})");
            }
        }
        else if (StandIns.TryGetValue(spec.Name, out var module) && Directory.Exists(Path.Combine(StandInPath, module)))
        {
            lines.Add($"  {spec.Text}: Zaffre's stand-in for the module {module}");
        }
        else
        {
            missing.Add($"{spec.Text} (not installed)");
        }
    }

    private static IEnumerable<string> ImageNote(JsonObject? document) =>
        document?.Text("image") is { Length: > 0 } image ? [$"  image {image}: not pulled; the host stands in for it"] : [];

    private RealEnvironment OnHost(JsonObject? document, IReadOnlyList<string> explanation, EnvironmentLock made) => new()
    {
        Kind = EnvironmentKind.Host,
        Lock = made,
        Interpreter = HostInterpreter.Path,
        Python = HostInterpreter.ShortVersion is { } version ? new PythonBase(version, HostInterpreter.Path, null) : null,
        Explanation = explanation,
        Variables = Variables(document, PythonRuntime.BinPath, []),
        Binds = [new TaskBind(PythonRuntime.Path, PythonRuntime.Path), .. pip.Binds],
    };

    private RealEnvironment InVirtualEnvironment(JsonObject? document, BuiltEnvironment environment, EnvironmentFoundation foundation) => new()
    {
        Kind = EnvironmentKind.VirtualEnvironment,
        Lock = new EnvironmentLock(EnvironmentKind.VirtualEnvironment, foundation.Version) { Packages = environment.Locked },
        Interpreter = environment.Path + "/bin/python",
        Python = new PythonBase(foundation.ShortVersion, foundation.Executable, $"{environment.Path}/lib/python{foundation.ShortVersion}/site-packages"),
        Explanation =
        [
            FormattableString.Invariant($"Environment: a virtual environment built for what is declared (Python {foundation.Version}, {environment.Packages.Count} packages, key {environment.Key}, built in {environment.Seconds} s)."),
            .. environment.Packages.Select(p => $"  {p.Key}: {p.Value}"),
            .. ImageNote(document),
        ],
        Variables = Variables(document, environment.Path + "/bin", new() { ["VIRTUAL_ENV"] = environment.Path, ["ZAFFRE_PYTHON_BELOW"] = environment.Path }),
        Binds = [new TaskBind(PythonRuntime.Path, PythonRuntime.Path), new TaskBind(environment.Path, environment.Path), .. pip.Binds],
    };

    private Dictionary<string, string> Variables(JsonObject? document, string first, Dictionary<string, string> variables)
    {
        foreach (var (name, value) in pip.Variables())
        {
            variables[name] = value;
        }

        variables["PATH"] = $"{first}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        variables["PYTHONPATH"] = PythonRuntime.HookPath;
        foreach (var (name, value) in document?.Object("environmentVariables") ?? [])
        {
            variables[name] = value.Text() ?? "";
        }

        return variables;
    }
}
