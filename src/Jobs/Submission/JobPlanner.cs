using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Jobs.Submission;

/// <summary>What is planned for: the job, who submits it, and where problems go. <paramref name="Known"/> remembers what was looked up before.</summary>
internal sealed record Planning(WorkspaceRef Workspace, string Job, Caller Caller, Findings Findings, Lookups Known)
{
    /// <summary>What is taken over from the job that this one repeats; null for any other.</summary>
    public Repeated? Repeats { get; init; }

    /// <summary>The name of the submission, whatever part of it this is.</summary>
    public string Root { get; private init; } = Job;

    /// <summary>The seed of the submission.</summary>
    public PlannedSeed Seed { get; } = PlannedSeed.New();

    /// <summary>The same for a part of the submission whose problems lie under <paramref name="path"/>.</summary>
    public Planning For(string job, string path) => this with { Job = job, Findings = Findings.Under(path) };
}

/// <summary>Resolves everything that a job names to versions and places, and reports everything that does not resolve.</summary>
internal sealed class JobPlanner(IWorkspaces workspaces, IDatastores datastores, IUriResolver uris, IEnvironments environments)
{
    /// <summary>The plan of a command, or null when the findings got problems.</summary>
    public async Task<JobPlan?> PlanAsync(Planning planning, CommandSpec spec, CancellationToken ct)
    {
        var findings = planning.Findings;
        var before = findings.Count;
        var compute = await ComputeAsync(planning, spec.Compute, "properties.computeId", ct);
        CheckRoom(spec.Gang, compute, findings);
        var environment = spec.Environment.Length == 0 ? null : await VersionAsync(planning, AssetType.Environment, spec.Environment, "properties.environmentId", ct);
        if (environment is not null && environments.WhyNever(environment.Properties, compute?.Name) is { } never)
        {
            findings.Unsupported("properties.environmentId", $"the environment {environment.Name}:{environment.Version} {never}");
        }

        var code = spec.Code is null ? null : await CodeAsync(planning, spec.Code, ct);
        var inputs = await InputsAsync(planning, spec.Inputs, ct);
        var outputs = await OutputsAsync(planning, spec.Outputs, spec.Datastore, ct);
        if (findings.Count > before || compute is null || environment is null)
        {
            return null;
        }

        return (await BareAsync(planning, spec.Experiment, outputs, ct)) with
        {
            Command = spec.Command,
            Compute = compute.Id.Value,
            Environment = environment.Id.Value,
            EnvironmentDocument = environment.Properties.Copy(),
            Code = code,
            Inputs = inputs,
            Variables = spec.Variables,
            Timeout = spec.Timeout,
            SharedMemory = spec.SharedMemory,
            Pins = planning.Known.Pins,
            Gang = spec.Gang,
            EnvironmentLock = planning.Repeats?.LockFor(LockTable.WayOf(planning.Root, planning.Job), environment.Id.Value, compute.Id.Value),
        };
    }

    /// <summary>What every plan has: artifacts, outputs, workspace, who submitted it.</summary>
    public async Task<JobPlan> BareAsync(Planning planning, string experiment, IReadOnlyDictionary<string, PlannedOutput> outputs, CancellationToken ct)
    {
        var workspace = await planning.Known.WorkspaceAsync(async () => (await workspaces.GetAsync(planning.Workspace, ct)).Value);
        var artifacts = await planning.Known.ArtifactsAsync(async () => (await datastores.ResolveAsync(planning.Workspace, RunArtifacts.Datastore, ct)).Value);
        var caller = planning.Caller;
        return new JobPlan
        {
            Experiment = experiment,
            Outputs = outputs,
            Artifacts = AddressOf(artifacts.Child(RunArtifacts.Prefix(planning.Job))),
            WorkspaceId = workspace.WorkspaceId,
            Location = workspace.Location,
            Actor = new PlannedActor(caller.ObjectId, caller.Name, caller.Type, caller.TenantId),
            Seed = planning.Repeats?.Seed ?? planning.Seed,
        };
    }

    /// <summary>The compute, or null with a problem at <paramref name="path"/>.</summary>
    public static async Task<ComputeTarget?> ComputeAsync(Planning planning, string? compute, string path, CancellationToken ct)
    {
        if (compute is not null && compute[(compute.LastIndexOfAny(['/', ':']) + 1)..].Equals("local", StringComparison.OrdinalIgnoreCase))
        {
            planning.Findings.Unsupported(path, CommandTargets.LocalIsNotSupported);
            return null;
        }

        if ((await planning.Known.ComputeAsync(planning.Workspace, compute, ct)).TryGet(out var target, out var problem))
        {
            return target;
        }

        planning.Findings.Add(path, problem);
        return null;
    }

    /// <summary>A gang takes all of its places at once: one that the compute never has would wait for ever.</summary>
    private static void CheckRoom(PlannedGang? gang, ComputeTarget? compute, Findings findings)
    {
        if (gang is not null && compute is not null && gang.Instances > compute.MostAtOnce)
        {
            var host = compute.MostAtOnce < compute.MaxNodes ? $" (of {compute.MaxNodes} nodes; this host runs {compute.MostAtOnce} tasks at once)" : "";
            findings.Invalid("properties.resources.instanceCount", $"the job wants {gang.Instances} instances at once, and the compute '{compute.Name}' has {compute.MostAtOnce}{host}.");
        }
    }

    private static async Task<AssetVersion?> VersionAsync(Planning planning, AssetType type, string reference, string path, CancellationToken ct)
    {
        if ((await planning.Known.AssetAsync(planning.Workspace, type, reference, ct)).TryGet(out var version, out var problem))
        {
            return version;
        }

        planning.Findings.Add(path, problem);
        return null;
    }

    private static async Task<BlobAddress?> CodeAsync(Planning planning, string reference, CancellationToken ct)
    {
        const string path = "properties.codeId";
        if (await VersionAsync(planning, AssetType.Code, reference, path, ct) is not { } version)
        {
            return null;
        }

        if (!(await planning.Known.UriAsync(planning.Workspace, version.Properties.Text("codeUri") ?? "", ct)).TryGet(out var place, out var problem))
        {
            planning.Findings.Add(path, problem);
            return null;
        }

        if (place.Blob is null)
        {
            planning.Findings.Unsupported(path, $"code at {place.Uri} lies outside this server; upload it.");
            return null;
        }

        return AddressOf(place.Blob);
    }

    /// <summary>Where inputs lie; problems lie under <c>properties.inputs</c>.</summary>
    public static async Task<Dictionary<string, PlannedInput>> InputsAsync(Planning planning, IReadOnlyDictionary<string, InputSpec> specs, CancellationToken ct)
    {
        var findings = planning.Findings;
        var inputs = new Dictionary<string, PlannedInput>(StringComparer.Ordinal);
        foreach (var (name, spec) in specs)
        {
            inputs[name] = new PlannedInput(spec.Type, spec.Mode) { Value = spec.Value };
            if (spec.IsLiteral)
            {
                continue;
            }

            var path = $"properties.inputs.{name}.uri";
            if (!(await planning.Known.DataAsync(planning.Workspace, spec.Value, ct)).TryGet(out var place, out var problem))
            {
                findings.Add(path, problem);
            }
            else if (WrongType(spec.Type, place) is { } wrong)
            {
                findings.Invalid($"properties.inputs.{name}.jobInputType", wrong);
            }
            else if (spec.Mode == InputMode.Writable && place.Blob is not null && (place.Blob.Path.Length == 0 || BelongsToAnotherRun(place.Blob.Path, planning.Job)))
            {
                findings.Invalid($"properties.inputs.{name}.mode", $"'{spec.Value}' holds artifacts of other runs or a whole datastore, which a job may read and not write.");
            }
            else if (place.Download is not null && spec.Type != JobTypes.UriFile && spec.Mode != InputMode.Direct)
            {
                findings.Unsupported(path, $"{spec.Value} lies outside this server, from which only single files (uri_file) are fetched.");
            }
            else
            {
                inputs[name] = inputs[name] with { Blob = place.Blob is null ? null : AddressOf(place.Blob), Download = place.Download };
            }
        }

        return inputs;
    }

    /// <summary>Why what lies there is not what the input says it is, or null.</summary>
    private static string? WrongType(string type, ResolvedUri place)
    {
        if (place.Asset is { } asset)
        {
            var actual = asset.Properties.Text("dataType") ?? asset.Properties.Text("modelType");
            var model = JobTypes.IsModel(type);
            if (asset.Type is AssetType.Data && actual is not null && !Fits(type, actual))
            {
                return $"{asset.Name}:{asset.Version} is a {actual}, not a {type}.";
            }

            if (asset.Type is not (AssetType.Data or AssetType.Model) || (asset.Type is AssetType.Data && model))
            {
                return $"{asset.Name}:{asset.Version} is a {asset.Type.ToString().ToLowerInvariant()} asset, not a {type}.";
            }
        }

        return (type, place.Shape) switch
        {
            (JobTypes.UriFile, UriShape.Folder) => $"{place.Uri} is a folder; a uri_file is one file.",
            (JobTypes.UriFolder, UriShape.File) => $"{place.Uri} is a file; a uri_folder is a folder.",
            _ => null,
        };
    }

    private static bool Fits(string type, string actual) =>
        type.Equals(actual, StringComparison.OrdinalIgnoreCase)
        || (type == JobTypes.UriFolder && actual.Equals("mltable", StringComparison.OrdinalIgnoreCase))
        || (type == "mltable" && actual.Equals(JobTypes.UriFolder, StringComparison.OrdinalIgnoreCase));

    /// <summary>Where outputs will lie; problems lie under <c>properties.outputs</c>. <paramref name="store"/> holds those without a place.</summary>
    public async Task<Dictionary<string, PlannedOutput>> OutputsAsync(Planning planning, IReadOnlyDictionary<string, OutputSpec> specs, string? store, CancellationToken ct)
    {
        var outputs = new Dictionary<string, PlannedOutput>(StringComparer.Ordinal);
        if (specs.Count == 0)
        {
            return outputs;
        }

        var (findings, job) = (planning.Findings, planning.Job);
        var datastore = store ?? await planning.Known.DefaultDatastoreAsync(planning.Workspace, ct);
        foreach (var (name, spec) in specs)
        {
            var path = $"properties.outputs.{name}.uri";
            var uri = spec.Uri is null
                ? DefaultPlace(datastore, job, name, spec.Type)
                : Expressions.SubstituteMacros(spec.Uri, job, name, datastore);
            if (!(await uris.ResolveAsync(planning.Workspace, uri, ct)).TryGet(out var place, out var problem))
            {
                findings.Add(path, problem);
            }
            else if (place.Blob is null || place.Asset is not null || place.LongDatastoreUri is null || place.Blob.Path.Length == 0)
            {
                findings.Invalid(path, $"'{uri}' is no place that an output can be written to: name a path in a datastore, such as azureml://datastores/{datastore}/paths/results/.");
            }
            else if (BelongsToAnotherRun(place.Blob.Path, job))
            {
                findings.Invalid(path, $"'{uri}' lies among the artifacts of another run; a job writes its own only.");
            }
            else if (Expressions.In(uri).FirstOrDefault() is { } unknown)
            {
                findings.Invalid(path, $"${{{{{unknown}}}}} is unknown in an output's path; name, output_name and default_datastore are known.");
            }
            else
            {
                outputs[name] = new PlannedOutput(spec.Type, spec.Mode)
                {
                    Blob = AddressOf(place.Blob),
                    Uri = place.LongDatastoreUri,
                    Asked = spec.Uri is not null && !spec.Chosen,
                    Pattern = spec.Pattern ?? (spec.Uri is null || Expressions.SubstituteMacros(spec.Uri, Expressions.NameMacro, name, datastore) is var pattern && pattern == uri ? null : pattern),
                    AssetName = spec.AssetName,
                    AssetVersion = spec.AssetVersion,
                };
            }
        }

        return outputs;
    }

    private static bool BelongsToAnotherRun(string path, string job)
    {
        var place = path.TrimEnd('/') + "/";
        return place.StartsWith("ExperimentRun/", StringComparison.Ordinal) && !place.StartsWith(RunArtifacts.Prefix(job) + "/", StringComparison.Ordinal);
    }

    private static string DefaultPlace(string datastore, string job, string output, string type) =>
        $"azureml://datastores/{datastore}/paths/azureml/{job}/{output}/" + (JobTypes.IsFile(type) ? output : "");

    private static BlobAddress AddressOf(BlobLocation place) => new(place.Account, place.Container, place.Path);
}
