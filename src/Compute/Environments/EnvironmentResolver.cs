using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>
/// Matches declared packages with the host's interpreter. A declared image is not pulled: the host stands in for it, and the explanation
/// says so. Packages that have a stand-in of ours count as there.
/// </summary>
internal sealed class EnvironmentResolver(HostInterpreter host) : IEnvironments
{
    // Tools of an environment rather than something that user code imports.
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
            return declared.Count == 0 ? Real(document, ["This host has no Python interpreter; the command runs without one."]) : Missing(declared.Select(p => p.Text), "this host has no Python interpreter (install python3)");
        }

        if (declared.Count == 0)
        {
            return Real(document, [$"Environment: the host's {HostInterpreter.Path}; no packages are declared.", .. ImageNote(document)]);
        }

        var packages = await host.PackagesAsync().WaitAsync(ct);
        var missing = new List<string>();
        var lines = new List<string> { $"Environment: the host's {HostInterpreter.Path} (Python {packages["python"]}) has every declared package." };
        foreach (var spec in declared.Where(spec => !Tools.Contains(spec.Name)))
        {
            Check(spec, packages, missing, lines);
        }

        return missing.Count == 0
            ? Real(document, [.. lines, .. ImageNote(document)])
            : Missing(missing, "and Zaffre does not build virtual environments yet. Install them for the host's interpreter, or loosen the versions");
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

    private static Problem Missing(IEnumerable<string> packages, string why) =>
        new(ProblemKind.Invalid, "EnvironmentNotSatisfied", $"The environment cannot be made real. Missing: {string.Join(", ", packages)}; {why}.");

    private static RealEnvironment Real(JsonObject? document, IReadOnlyList<string> explanation)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = $"{PythonRuntime.BinPath}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["PYTHONPATH"] = PythonRuntime.HookPath,
        };
        foreach (var (name, value) in document?.Object("environmentVariables") ?? [])
        {
            variables[name] = value.Text() ?? "";
        }

        return new RealEnvironment
        {
            Kind = EnvironmentKind.Host,
            Interpreter = HostInterpreter.Path,
            Explanation = explanation,
            Variables = variables,
            Binds = [new TaskBind(PythonRuntime.Path, PythonRuntime.Path)],
        };
    }
}
