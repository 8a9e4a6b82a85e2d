using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Tracking;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Jobs.Submission;

/// <summary>Resolves everything that a job names to versions and places, and reports everything that does not resolve.</summary>
internal sealed class JobPlanner(IWorkspaces workspaces, IDatastores datastores, IResources resources, IAssets assets, IUriResolver uris, IComputes computes)
{
    /// <summary>The plan, or null when <paramref name="findings"/> got problems.</summary>
    public async Task<JobPlan?> PlanAsync(WorkspaceRef reference, string job, CommandSpec spec, Caller caller, Findings findings, CancellationToken ct)
    {
        var workspace = (await workspaces.GetAsync(reference, ct)).Value;
        var compute = await ComputeAsync(reference, spec.Compute, findings, ct);
        var environment = spec.Environment.Length == 0 ? null : await VersionAsync(reference, AssetType.Environment, spec.Environment, "properties.environmentId", findings, ct);
        if (environment?.Properties["build"] is not null)
        {
            findings.Unsupported("properties.environmentId", $"the environment {environment.Name}:{environment.Version} is built from a Docker context, and images are not built here; name one with image and conda_file.");
        }

        var code = spec.Code is null ? null : await CodeAsync(reference, spec.Code, findings, ct);
        var inputs = await InputsAsync(reference, spec.Inputs, findings, ct);
        var outputs = await OutputsAsync(reference, job, spec.Outputs, findings, ct);
        var artifacts = (await datastores.ResolveAsync(reference, RunArtifacts.Datastore, ct)).Value.Child(RunArtifacts.Prefix(job));
        if (findings.Any || compute is null || environment is null)
        {
            return null;
        }

        return new JobPlan
        {
            Command = spec.Command,
            Experiment = spec.Experiment,
            Compute = compute.Id.Value,
            Environment = environment.Id.Value,
            EnvironmentDocument = environment.Properties.Copy(),
            Code = code,
            Inputs = inputs,
            Outputs = outputs,
            Variables = spec.Variables,
            Timeout = spec.Timeout,
            Artifacts = AddressOf(artifacts),
            WorkspaceId = workspace.WorkspaceId,
            Location = workspace.Location,
            Actor = new PlannedActor(caller.ObjectId, caller.Name, caller.Type, caller.TenantId),
        };
    }

    private async Task<ComputeTarget?> ComputeAsync(WorkspaceRef workspace, string? compute, Findings findings, CancellationToken ct)
    {
        const string path = "properties.computeId";
        if (compute is not null && compute[(compute.LastIndexOfAny(['/', ':']) + 1)..].Equals("local", StringComparison.OrdinalIgnoreCase))
        {
            findings.Unsupported(path, CommandTargets.LocalIsNotSupported);
            return null;
        }

        if ((await computes.FindAsync(workspace, compute, ct)).TryGet(out var target, out var problem))
        {
            return target;
        }

        findings.Add(path, problem);
        return null;
    }

    private async Task<AssetVersion?> VersionAsync(WorkspaceRef workspace, AssetType type, string reference, string path, Findings findings, CancellationToken ct)
    {
        if ((await assets.ResolveAsync(workspace, type, reference, ct)).TryGet(out var version, out var problem))
        {
            return version;
        }

        findings.Add(path, problem);
        return null;
    }

    private async Task<BlobAddress?> CodeAsync(WorkspaceRef workspace, string reference, Findings findings, CancellationToken ct)
    {
        const string path = "properties.codeId";
        if (await VersionAsync(workspace, AssetType.Code, reference, path, findings, ct) is not { } version)
        {
            return null;
        }

        if (!(await uris.ResolveAsync(workspace, version.Properties.Text("codeUri") ?? "", ct)).TryGet(out var place, out var problem))
        {
            findings.Add(path, problem);
            return null;
        }

        if (place.Blob is null)
        {
            findings.Unsupported(path, $"code at {place.Uri} lies outside this server; upload it.");
            return null;
        }

        return AddressOf(place.Blob);
    }

    private async Task<Dictionary<string, PlannedInput>> InputsAsync(WorkspaceRef workspace, IReadOnlyDictionary<string, InputSpec> specs, Findings findings, CancellationToken ct)
    {
        var inputs = new Dictionary<string, PlannedInput>(StringComparer.Ordinal);
        foreach (var (name, spec) in specs)
        {
            inputs[name] = new PlannedInput(spec.Type, spec.Mode) { Value = spec.Value };
            if (spec.IsLiteral)
            {
                continue;
            }

            var path = $"properties.inputs.{name}.uri";
            if (!(await uris.ResolveAsync(workspace, spec.Value, ct)).TryGet(out var place, out var problem))
            {
                findings.Add(path, problem);
            }
            else if (WrongType(spec.Type, place) is { } wrong)
            {
                findings.Invalid($"properties.inputs.{name}.jobInputType", wrong);
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

    private async Task<Dictionary<string, PlannedOutput>> OutputsAsync(WorkspaceRef workspace, string job, IReadOnlyDictionary<string, OutputSpec> specs, Findings findings, CancellationToken ct)
    {
        var outputs = new Dictionary<string, PlannedOutput>(StringComparer.Ordinal);
        if (specs.Count == 0)
        {
            return outputs;
        }

        var datastore = await DefaultDatastoreAsync(workspace, ct);
        foreach (var (name, spec) in specs)
        {
            var path = $"properties.outputs.{name}.uri";
            var uri = spec.Uri is null
                ? DefaultPlace(datastore, job, name, spec.Type)
                : Expressions.SubstituteMacros(spec.Uri, job, name, datastore);
            if (!(await uris.ResolveAsync(workspace, uri, ct)).TryGet(out var place, out var problem))
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
        $"azureml://datastores/{datastore}/paths/azureml/{job}/{output}/" + (type == JobTypes.UriFile ? output : "");

    private async Task<string> DefaultDatastoreAsync(WorkspaceRef workspace, CancellationToken ct)
    {
        var marked = await resources.ListAsync(
            new ResourceQuery { Parent = workspace.Id, Type = "datastores", Top = 1, Where = datastore => datastore.Properties.Flag("isDefault") == true }, ct);
        return marked.Items is [var one, ..] ? one.Id.Name : BuiltInDatastores.Blob;
    }

    private static BlobAddress AddressOf(BlobLocation place) => new(place.Account, place.Container, place.Path);
}
