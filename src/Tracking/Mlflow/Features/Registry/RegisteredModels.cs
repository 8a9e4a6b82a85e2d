using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Resources;
using Zaffre.Tracking.Registry;

namespace Zaffre.Tracking.Mlflow.Features.Registry;

/// <summary>Creates a registered model: the container of a model asset, or a prompt when it is tagged as one.</summary>
internal sealed class CreateRegisteredModel(IDatabase database, IResources resources, RegistryAccess registry) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "registered-models/create");

    public override string Action => "workspaces/models/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var name = RegistryLimits.ModelName(request.RequiredText("name"));
        var tags = request.Objects("tags").Select(RegistryLimits.Tag).ToList();
        var properties = new JsonObject { ["isArchived"] = false, ["description"] = request.TextOrEmpty("description") };
        foreach (var (key, value) in tags)
        {
            RegistryAccess.Tags(properties)[key] = value;
        }

        RegistryLimits.CheckTags(properties);

        var created = await database.WriteAsync(scope => Create(scope, call, name, properties), ct);
        var answer = await registry.ReadModelAsync(created, ct);
        await call.WriteAsync(
            json =>
            {
                json.WritePropertyName("registered_model");
                json.RegisteredModel(answer);
            },
            ct);
    }

    private long Create(WriteScope scope, MlflowCall call, string name, JsonObject properties)
    {
        if (RegistryStore.Find(scope, call.Workspace, name) is not null)
        {
            throw MlflowErrors.AlreadyExists($"Registered Model (name={name}) already exists.");
        }

        var segment = (string?)properties["tags"]?[RegistrySearch.PromptTag] == "true" ? "prompts" : "models";
        var id = call.Workspace.Child(segment, name);
        // Anonymous versions may be there before anybody registers the name.
        properties["nextVersion"] = resources.Find(scope, id)?.Properties["nextVersion"]?.DeepClone() ?? "1";
        return resources.Put(scope, id, new JsonObject { ["properties"] = properties }, call.Caller).Sequence;
    }
}

/// <summary>A registered model with the newest version of each stage.</summary>
internal sealed class GetRegisteredModel(RegistryAccess registry) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "registered-models/get");

    public override string Action => "workspaces/models/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var name = (await call.ReadAsync(ct)).RequiredText("name");
        var model = await registry.ReadModelAsync((await registry.FindAsync(call, name, ct)).Key, ct);
        await call.WriteAsync(
            json =>
            {
                json.WritePropertyName("registered_model");
                json.RegisteredModel(model);
            },
            ct);
    }
}

/// <summary>Changes the description.</summary>
internal sealed class UpdateRegisteredModel(RegistryAccess registry) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("PATCH", "registered-models/update");

    public override string Action => "workspaces/models/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var model = await registry.ChangeModelAsync(call, request.RequiredText("name"), (_, properties) => properties["description"] = request.TextOrEmpty("description"), ct);
        await call.WriteAsync(
            json =>
            {
                json.WritePropertyName("registered_model");
                json.RegisteredModel(model);
            },
            ct);
    }
}

/// <summary>Deletes a model with all its versions.</summary>
internal sealed class DeleteRegisteredModel(IDatabase database, IResources resources) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("DELETE", "registered-models/delete");

    public override string Action => "workspaces/models/delete";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var name = (await call.ReadAsync(ct)).RequiredText("name");
        await database.WriteAsync(scope => resources.Delete(scope, RegistryAccess.ModelId(call, RegistryAccess.Model(scope, call, name)), call.Caller), ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Searches registered models; <c>registered-models/list</c> is its name in MLflow 1.</summary>
internal sealed class SearchRegisteredModels(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } =
        [.. Mlflow.Routes.Of("GET|POST", "registered-models/search"), .. Mlflow.Routes.Of("GET", "registered-models/list")];

    public override string Action => "workspaces/models/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var (query, sql) = RegistrySearch.In(call.Workspace, SearchReader.RegisteredModels(await call.ReadAsync(ct)));
        var (models, next) = await database.ReadAsync(
            connection =>
            {
                var page = query.Run(connection, sql);
                return (RegistryStore.Models(connection, page.Items), page.Next);
            },
            ct);
        await call.WriteAsync(
            json =>
            {
                if (models.Count > 0)
                {
                    json.WriteStartArray("registered_models");
                    foreach (var model in models)
                    {
                        json.RegisteredModel(model);
                    }

                    json.WriteEndArray();
                }

                if (next is not null)
                {
                    json.WriteString("next_page_token", next);
                }
            },
            ct);
    }
}

/// <summary>The newest version of each stage.</summary>
internal sealed class GetLatestVersions(IDatabase database, RegistryAccess registry) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET|POST", "registered-models/get-latest-versions");

    public override string Action => "workspaces/models/versions/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var model = await registry.FindAsync(call, request.RequiredText("name"), ct);
        var stages = request.Texts("stages").Select(RegistryLimits.Stage).ToList();
        var versions = await database.ReadAsync(connection => RegistryStore.LatestVersions(connection, model, stages), ct);
        await call.WriteAsync(json => json.ModelVersions("model_versions", versions), ct);
    }
}
