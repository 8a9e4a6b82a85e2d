using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>
/// In this order: a virtual environment built before for what is declared; the host's interpreter when it has every declared package (those with a
/// stand-in of ours count as there); a new virtual environment. A declared image is not pulled: the host stands in for it, and the explanation says so.
/// </summary>
internal sealed class EnvironmentResolver(HostInterpreter host, VirtualEnvironments built) : IEnvironments
{
    private static readonly HashSet<string> Tools = ["pip", "setuptools", "wheel", "conda"];

    // Package -> the module of ours that stands in for it.
    private static readonly Dictionary<string, string> StandIns = new(StringComparer.Ordinal)
    {
        ["mlflow"] = "mlflow", ["mlflow-skinny"] = "mlflow", ["azureml-mlflow"] = "mlflow",
        ["azureml-defaults"] = "azureml", ["azureml-inference-server-http"] = "azureml", ["azureml-contrib-services"] = "azureml",
        ["inference-schema"] = "inference_schema", ["mltable"] = "mltable",
    };

    private static readonly string StandInPath = Path.Combine(PythonRuntime.Path, "standins");

    public async Task<Outcome<RealEnvironment>> ResolveAsync(JsonObject? document, CancellationToken ct)
    {
        if (document?["build"] is not null)
        {
            return new Problem(ProblemKind.Unsupported, "OperationNotSupported", "Zaffre does not build images from build contexts yet. Declare the packages in a conda file.") { Target = "properties.build" };
        }

        if (!DeclaredPackages.Read(document?.Text("condaFile")).TryGet(out var declared, out var problem))
        {
            return problem;
        }

        if (!HostInterpreter.Exists)
        {
            return declared.Packages.Count == 0
                ? OnHost(document, ["This host has no Python interpreter; the command runs without one."])
                : Missing(declared.Packages.Select(p => p.Text), "this host has no Python interpreter (install python3)");
        }

        if (declared.Packages.Count == 0)
        {
            return OnHost(document, [$"Environment: the host's {HostInterpreter.Path}; no packages are declared.", .. ImageNote(document)]);
        }

        var packages = await host.PackagesAsync().WaitAsync(ct);
        var key = VirtualEnvironments.KeyOf(declared, packages["python"]);
        if (built.Find(key) is { } before)
        {
            return InVirtualEnvironment(document, before, packages["python"]);
        }

        var missing = new List<string>();
        var lines = new List<string> { $"Environment: the host's {HostInterpreter.Path} (Python {packages["python"]}) has every declared package." };
        foreach (var spec in declared.Packages.Where(spec => !IsTool(spec.Name)))
        {
            Check(spec, packages, missing, lines);
        }

        return missing.Count == 0 ? OnHost(document, [.. lines, .. ImageNote(document)])
            : declared.Packages.Any(spec => spec.Name == "python" && !spec.IsSatisfiedBy(packages["python"])) ? Missing(missing, "and a virtual environment has the host's Python: loosen its version")
            : (await built.BuildAsync(key, declared, ct)).TryGet(out var made, out var why) ? InVirtualEnvironment(document, made, packages["python"])
            : why.Code == "EnvironmentNotBuilt" ? Missing(missing, "and a virtual environment could not be built: " + why.Message)
            : why;
    }

    /// <summary>A tool of an environment rather than something that user code imports.</summary>
    public static bool IsTool(string name) => Tools.Contains(name);

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

    private static Problem Missing(IEnumerable<string> packages, string why) =>
        new(ProblemKind.Invalid, "EnvironmentNotSatisfied", $"The environment cannot be made real. Missing: {string.Join(", ", packages)}; {why}.");

    private static RealEnvironment OnHost(JsonObject? document, IReadOnlyList<string> explanation) => new()
    {
        Kind = EnvironmentKind.Host,
        Interpreter = HostInterpreter.Path,
        Explanation = explanation,
        Variables = Variables(document, PythonRuntime.BinPath, []),
        Binds = [new TaskBind(PythonRuntime.Path, PythonRuntime.Path)],
    };

    private static RealEnvironment InVirtualEnvironment(JsonObject? document, BuiltEnvironment environment, string python) => new()
    {
        Kind = EnvironmentKind.VirtualEnvironment,
        Interpreter = environment.Path + "/bin/python",
        Explanation =
        [
            FormattableString.Invariant($"Environment: a virtual environment built for what is declared (Python {python}, {environment.Packages.Count} packages, key {environment.Key}, built in {environment.Seconds} s)."),
            .. environment.Packages.Select(p => $"  {p.Key}: {p.Value}"),
            .. ImageNote(document),
        ],
        Variables = Variables(document, environment.Path + "/bin", new() { ["VIRTUAL_ENV"] = environment.Path }),
        Binds = [new TaskBind(PythonRuntime.Path, PythonRuntime.Path), new TaskBind(environment.Path, environment.Path)],
    };

    private static Dictionary<string, string> Variables(JsonObject? document, string first, Dictionary<string, string> variables)
    {
        variables["PATH"] = $"{first}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        variables["PYTHONPATH"] = PythonRuntime.HookPath;
        foreach (var (name, value) in document?.Object("environmentVariables") ?? [])
        {
            variables[name] = value.Text() ?? "";
        }

        return variables;
    }
}
