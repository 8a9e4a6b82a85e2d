using Zaffre.Database;
using Zaffre.Resources;
using Zaffre.Tracking.Registry;

namespace Zaffre.Tracking.Mlflow.Features.Registry;

/// <summary>One version of a model.</summary>
internal sealed class GetModelVersion(RegistryAccess registry) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "model-versions/get");

    public override string Action => "workspaces/models/versions/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (name, number) = (request.RequiredText("name"), request.RequiredText("version"));
        var row = await registry.FindAsync(call, await registry.FindAsync(call, name, ct), number, ct);
        await AnswerAsync(call, await registry.ReadVersionAsync(row.Key, ct), ct);
    }

    public static Task AnswerAsync(MlflowCall call, VersionDetail version, CancellationToken ct) => call.WriteAsync(
        json =>
        {
            json.WritePropertyName("model_version");
            json.ModelVersion(version);
        },
        ct);
}

/// <summary>Changes the description.</summary>
internal sealed class UpdateModelVersion(RegistryAccess registry) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("PATCH", "model-versions/update");

    public override string Action => "workspaces/models/versions/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var changed = await registry.ChangeVersionAsync(
            call,
            (request.RequiredText("name"), request.RequiredText("version")),
            (_, _, _, properties) => properties["description"] = request.TextOrEmpty("description"),
            ct);
        await GetModelVersion.AnswerAsync(call, changed, ct);
    }
}

/// <summary>Moves a version to a stage, and on wish those that were there to Archived.</summary>
internal sealed class TransitionModelVersionStage(RegistryAccess registry) : MlflowOperation
{
    private const string Archived = "Archived";

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "model-versions/transition-stage");

    public override string Action => "workspaces/models/versions/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var stage = RegistryLimits.Stage(request.RequiredText("stage"));
        var archive = request.Flag("archive_existing_versions");
        if (archive && stage is not ("Staging" or "Production"))
        {
            throw MlflowErrors.Invalid($"Model version transition cannot archive existing model versions because '{stage}' is not an Active stage. Valid stages are Staging, Production");
        }

        var changed = await registry.ChangeVersionAsync(
            call,
            (request.RequiredText("name"), request.RequiredText("version")),
            (scope, model, version, properties) =>
            {
                properties["stage"] = stage;
                foreach (var other in archive ? RegistryStore.VersionsInStage(scope, model, stage, version.Version) : [])
                {
                    registry.Put(scope, call, RegistryAccess.VersionId(call, model, other), document => document["stage"] = Archived);
                }
            },
            ct);
        await GetModelVersion.AnswerAsync(call, changed, ct);
    }
}

/// <summary>Deletes a version; its number is not given again.</summary>
internal sealed class DeleteModelVersion(IDatabase database, IResources resources) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("DELETE", "model-versions/delete");

    public override string Action => "workspaces/models/versions/delete";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (name, number) = (request.RequiredText("name"), request.RequiredText("version"));
        await database.WriteAsync(
            scope =>
            {
                var model = RegistryAccess.Model(scope, call, name);
                return resources.Delete(scope, RegistryAccess.VersionId(call, model, RegistryAccess.Version(scope, model, number).Version), call.Caller);
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Searches versions; the page is found first, then read and sent in pieces.</summary>
internal sealed class SearchModelVersions(IDatabase database) : MlflowOperation
{
    private const int Piece = 1000;

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET|POST", "model-versions/search");

    public override string Action => "workspaces/models/versions/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var (query, sql) = RegistrySearch.In(call.Workspace, SearchReader.ModelVersions(await call.ReadAsync(ct)));
        var page = await database.ReadAsync(connection => query.Run(connection, sql), ct);
        await call.StreamAsync(
            async json =>
            {
                if (page.Items.Count > 0)
                {
                    json.WriteStartArray("model_versions");
                    foreach (var keys in page.Items.Chunk(Piece))
                    {
                        foreach (var version in await database.ReadAsync(connection => RegistryStore.Versions(connection, keys), ct))
                        {
                            json.ModelVersion(version);
                        }

                        await json.FlushAsync(ct);
                    }

                    json.WriteEndArray();
                }

                if (page.Next is not null)
                {
                    json.WriteString("next_page_token", page.Next);
                }
            },
            ct);
    }
}
