using System.Text.Json.Nodes;
using Zaffre.Compute.Environments;
using Zaffre.Compute.Operator;
using Zaffre.Kernel;

namespace Zaffre.Compute.Containers;

/// <summary>
/// Environments in a container of their image: podman or docker gives the image, the sandbox of every task runs it, with the image's files in place of
/// the host's system. Packages of a conda file come on top, as a virtual environment of the image's Python.
/// </summary>
internal sealed class ContainerEnvironments(ImageStore images, BuildContexts contexts, VirtualEnvironments built, EnvironmentCache cache, PipSettings pip, ComputeOptions options)
{
    /// <summary>Where tasks in an image see Zaffre's own Python files.</summary>
    private const string Runtime = "/mnt/zaffre/python";

    private const string Digest = "sha256:";

    private readonly PinnedEnvironments pinned = new(built, cache);

    /// <summary>Whether the environment is one for a container here; the problem says that the operator's file cannot be read.</summary>
    public static bool Wanted(EnvironmentRequest request, ContainerSettings settings) => settings.Covers(request.Compute)
        && (request.Document?["build"] is not null || request.Document?.Text("image") is { Length: > 0 });

    public async Task<Outcome<RealEnvironment>> ResolveAsync(EnvironmentRequest request, ContainerSettings settings, DeclaredPackages declared, CancellationToken ct)
    {
        var engine = new ContainerEngine(settings, options.EnvironmentBuildTime);
        var document = request.Document ?? [];
        var found = request.Lock is { } wanted ? await LockedImageAsync(engine, settings, wanted, document, ct)
            : document.Object("build") is { } build
            ? request.Workspace is { } workspace
                ? await contexts.ImageAsync(engine, settings.Build, workspace, build, ct)
                : new Problem(ProblemKind.Unsupported, "OperationNotSupported", "Build contexts are built for jobs only.") { Target = "properties.build" }
            : await engine.FindAsync(document.Text("image")!, settings.Pull, ct);
        if (!found.TryGet(out var image, out var problem) || !(await images.MaterializeAsync(engine, image, ct)).TryGet(out var real, out problem))
        {
            return problem;
        }

        var said = $"Environment: a container of the image {document.Text("image") ?? "built from its build context"} ({real.Key}), on compute {request.Compute}.";
        var made = new EnvironmentLock(EnvironmentKind.Container, real.PythonVersion) { Image = Digest + image.Id, ImageSource = image.Source ?? request.Lock?.ImageSource };
        if (declared.Packages.All(spec => EnvironmentResolver.IsTool(spec.Name) || spec.Name == "python"))
        {
            var unfit = declared.Packages.FirstOrDefault(spec => spec.Name == "python" && (real.PythonVersion is not { } version || !spec.IsSatisfiedBy(version)));
            return unfit is null ? InImage(document, real, said, made, null) : EnvironmentResolver.Missing([$"{unfit.Text} (the image has {real.PythonVersion ?? "none"})"], "choose an image with that Python");
        }

        return real is { PythonExecutable: { } executable, PythonVersion: { } present }
            ? (await OnTopAsync(request, declared, new EnvironmentFoundation($"image {real.Key} ", executable, present, real.Root), ct)).Then<RealEnvironment>(top =>
                InImage(document, real, said, made with { Packages = top.Environment.Locked }, top))
            : EnvironmentResolver.Missing(declared.Packages.Select(p => p.Text), "and the image has no Python to install them for");
    }

    /// <summary>The very image of the lock: as it lies unpacked, from the engine, or pulled by its digest.</summary>
    private async Task<Outcome<EngineImage>> LockedImageAsync(ContainerEngine engine, ContainerSettings settings, EnvironmentLock wanted, JsonObject document, CancellationToken ct)
    {
        var id = wanted.Image![Digest.Length..];
        if (images.Holds(id))
        {
            return new EngineImage(id, []);
        }

        if ((await engine.FindAsync(id, pull: false, ct)).TryGet(out var there, out var missing)
            || (wanted.ImageSource is { } source && (await engine.FindAsync(source, settings.Pull, ct)).TryGet(out there, out missing) && there.Id == id))
        {
            return there;
        }

        var name = document.Text("image");
        var now = name is null ? null : (await engine.FindAsync(name, pull: false, ct)).TryGet(out var found, out _) ? Digest + found.Id : null;
        return missing is { Code: "ContainersUnavailable" } ? missing
            : PinnedEnvironments.NotHad([new Divergence($"image {name ?? "of the build context"}", wanted.Image, now)], wanted.ImageSource is null ? "the engine has no image of that digest, and none that a registry knows" : $"neither the engine nor {wanted.ImageSource} has it");
    }

    private async Task<Outcome<(BuiltEnvironment Environment, string Work, EnvironmentFoundation Foundation)>> OnTopAsync(EnvironmentRequest request, DeclaredPackages declared, EnvironmentFoundation foundation, CancellationToken ct)
    {
        if (declared.Packages.FirstOrDefault(spec => spec.Name == "python" && !spec.IsSatisfiedBy(foundation.Version)) is { } other)
        {
            return EnvironmentResolver.Missing([$"{other.Text} (the image has {foundation.Version})"], "choose an image with that Python");
        }

        if (!(await BuiltAsync(request, declared, foundation, ct)).TryGet(out var environment, out var problem))
        {
            return problem;
        }

        cache.Touch(environment.Key);
        return (environment, cache.WorkOf(environment.Key), foundation);
    }

    private async Task<Outcome<BuiltEnvironment>> BuiltAsync(EnvironmentRequest request, DeclaredPackages declared, EnvironmentFoundation foundation, CancellationToken ct)
    {
        if (request.Lock is not null)
        {
            return await pinned.HaveAsync(request, declared, foundation, new Dictionary<string, string>(), ct);
        }

        var key = VirtualEnvironments.KeyOf(declared, foundation);
        if (built.Find(key, foundation) is { } there)
        {
            return there;
        }

        request.Building?.Invoke(key);
        return (await built.BuildAsync(key, declared, foundation, ct)).TryGet(out var environment, out var why)
            ? environment
            : EnvironmentResolver.NotBuilt(declared.Packages.Where(p => p.Name != "python").Select(p => p.Text), declared, why, key);
    }

    private RealEnvironment InImage(JsonObject document, RealImage real, string said, EnvironmentLock made, (BuiltEnvironment Environment, string Work, EnvironmentFoundation Foundation)? top)
    {
        var variables = new Dictionary<string, string>(real.Variables, StringComparer.Ordinal)
        {
            ["PATH"] = top is { } over ? $"{over.Environment.Path}/bin:{real.Path}" : real.Path,
            ["PYTHONPATH"] = Runtime + "/runtime" + (real.Variables.GetValueOrDefault("PYTHONPATH") is { Length: > 0 } own ? ":" + own : ""),
        };
        foreach (var (name, value) in pip.Variables())
        {
            variables[name] = value;
        }

        if (top is { } below)
        {
            variables["VIRTUAL_ENV"] = variables["ZAFFRE_PYTHON_BELOW"] = below.Environment.Path;
        }

        foreach (var (name, value) in document.Object("environmentVariables") ?? [])
        {
            variables[name] = value.Text() ?? "";
        }

        var version = real.PythonVersion is { } full ? string.Join('.', full.Split('.').Take(2)) : null;
        return new RealEnvironment
        {
            Kind = EnvironmentKind.Container,
            Lock = made,
            Interpreter = top is { } on ? on.Environment.Path + "/bin/python" : real.PythonExecutable ?? "",
            Shell = real.Shell,
            Python = version is null ? null : new PythonBase(version, real.PythonExecutable!, top is { } t ? $"{t.Environment.Path}/lib/python{version}/site-packages" : null),
            Explanation = [said, .. (top?.Environment.Packages ?? new Dictionary<string, string>()).Select(p => $"  {p.Key}: {p.Value}")],
            Variables = variables,
            Binds =
            [
                new TaskBind(real.Root, "/"), new TaskBind(PythonRuntime.Path, Runtime), .. pip.Binds,
                .. top is { } w ? [new TaskBind(w.Work, w.Foundation.ViewOf(w.Environment.Key, w.Work))] : Array.Empty<TaskBind>(),
            ],
        };
    }
}
