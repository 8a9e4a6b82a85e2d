using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Tracking.Registry;

namespace Zaffre.Tracking.Mlflow.Features.Registry;

/// <summary>
/// Registers a version: a version of the model asset, with the next number. The source must lie in this server's storage, as with
/// every model asset; a prompt has no content, and its source is only kept.
/// </summary>
internal sealed class CreateModelVersion(IDatabase database, IResources resources, IAssets assets, RegistryAccess registry, ModelSources sources) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "model-versions/create");

    public override string Action => "workspaces/models/versions/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (name, source) = (request.RequiredText("name"), request.RequiredText("source"));
        var model = await registry.FindAsync(call, name, ct);
        var properties = model.IsPrompt ? new JsonObject { ["modelUri"] = source } : await sources.PropertiesAsync(call, source, ct);
        if (request.Text("run_id") is { } run)
        {
            properties["jobName"] = run;
        }

        if (request.Text("description") is { } description)
        {
            properties["description"] = description;
        }

        foreach (var (key, value) in request.Objects("tags").Select(RegistryLimits.Tag))
        {
            RegistryAccess.Tags(properties)[key] = value;
        }

        RegistryLimits.CheckTags(properties);

        var (runLink, loggedModel) = (request.TextOrEmpty("run_link"), request.Text("model_id") ?? ModelSources.LoggedModel(source));
        var created = await database.WriteAsync(
            scope =>
            {
                var found = RegistryAccess.Model(scope, call, model.Name);
                var id = found.IsPrompt ? PutPrompt(scope, call, found, properties) : assets.Register(scope, call.Workspace, new NewAsset(AssetType.Model, found.Name, null, properties), call.Caller);
                RegistryStore.SetOrigin(scope, id, source, runLink, loggedModel);
                return resources.Find(scope, id)!.Sequence;
            },
            ct);
        await GetModelVersion.AnswerAsync(call, await registry.ReadVersionAsync(created, ct), ct);
    }

    private Web.ArmId PutPrompt(WriteScope scope, MlflowCall call, ModelRow prompt, JsonObject properties)
    {
        var container = RegistryAccess.ModelId(call, prompt);
        var next = long.Parse(resources.Find(scope, container)!.Properties.Text("nextVersion") ?? "1", System.Globalization.CultureInfo.InvariantCulture);
        registry.Put(scope, call, container, document => document["nextVersion"] = $"{next + 1}");
        return resources.Put(scope, container.Child("versions", $"{next}"), new JsonObject { ["properties"] = properties }, call.Caller).Id;
    }
}

/// <summary>Where the files of a version are read: through the artifact proxy by plain clients, from the datastore by Azure's plugin.</summary>
internal sealed class GetDownloadUri(RegistryAccess registry, ModelSources sources) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "model-versions/get-download-uri");

    public override string Action => "workspaces/models/versions/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (name, number) = (request.RequiredText("name"), request.RequiredText("version"));
        var row = await registry.FindAsync(call, await registry.FindAsync(call, name, ct), number, ct);
        var uri = row.IsPrompt ? row.Source : await sources.DownloadUriAsync(call, row, ct);
        await call.WriteAsync(json => json.WriteString("artifact_uri", uri), ct);
    }
}
