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

    /// <summary>Whether the environment is one for a container here; the problem says that the operator's file cannot be read.</summary>
    public static bool Wanted(EnvironmentRequest request, ContainerSettings settings) => settings.Covers(request.Compute)
        && (request.Document?["build"] is not null || request.Document?.Text("image") is { Length: > 0 });

    public async Task<Outcome<RealEnvironment>> ResolveAsync(EnvironmentRequest request, ContainerSettings settings, DeclaredPackages declared, CancellationToken ct)
    {
        var engine = new ContainerEngine(settings, options.EnvironmentBuildTime);
        var document = request.Document ?? [];
        var found = document.Object("build") is { } build
            ? request.Workspace is { } workspace
                ? await contexts.ImageAsync(engine, settings.Build, workspace, build, ct)
                : new Problem(ProblemKind.Unsupported, "OperationNotSupported", "Build contexts are built for jobs only.") { Target = "properties.build" }
            : await engine.FindAsync(document.Text("image")!, settings.Pull, ct);
        if (!found.TryGet(out var image, out var problem) || !(await images.MaterializeAsync(engine, image, ct)).TryGet(out var real, out problem))
        {
            return problem;
        }

        var said = $"Environment: a container of the image {document.Text("image") ?? "built from its build context"} ({real.Key}), on compute {request.Compute}.";
        if (declared.Packages.All(spec => EnvironmentResolver.IsTool(spec.Name) || spec.Name == "python"))
        {
            var unfit = declared.Packages.FirstOrDefault(spec => spec.Name == "python" && (real.PythonVersion is not { } version || !spec.IsSatisfiedBy(version)));
            return unfit is null ? InImage(document, real, said, null) : EnvironmentResolver.Missing([$"{unfit.Text} (the image has {real.PythonVersion ?? "none"})"], "choose an image with that Python");
        }

        return real is { PythonExecutable: { } executable, PythonVersion: { } present }
            ? await OnTopAsync(request, real, said, declared, new EnvironmentFoundation($"image {real.Key} ", executable, present, real.Root), ct)
            : EnvironmentResolver.Missing(declared.Packages.Select(p => p.Text), "and the image has no Python to install them for");
    }

    private async Task<Outcome<RealEnvironment>> OnTopAsync(EnvironmentRequest request, RealImage real, string said, DeclaredPackages declared, EnvironmentFoundation foundation, CancellationToken ct)
    {
        if (declared.Packages.FirstOrDefault(spec => spec.Name == "python" && !spec.IsSatisfiedBy(foundation.Version)) is { } other)
        {
            return EnvironmentResolver.Missing([$"{other.Text} (the image has {foundation.Version})"], "choose an image with that Python");
        }

        var key = VirtualEnvironments.KeyOf(declared, foundation);
        if (built.Find(key, foundation) is not { } environment)
        {
            request.Building?.Invoke(key);
            if (!(await built.BuildAsync(key, declared, foundation, ct)).TryGet(out environment, out var why))
            {
                return EnvironmentResolver.NotBuilt(declared.Packages.Where(p => p.Name != "python").Select(p => p.Text), declared, why, key);
            }
        }

        cache.Touch(key);
        return InImage(request.Document!, real, said, (environment, cache.WorkOf(key), foundation));
    }

    private RealEnvironment InImage(JsonObject document, RealImage real, string said, (BuiltEnvironment Environment, string Work, EnvironmentFoundation Foundation)? top)
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
            Interpreter = top is { } made ? made.Environment.Path + "/bin/python" : real.PythonExecutable ?? "",
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
