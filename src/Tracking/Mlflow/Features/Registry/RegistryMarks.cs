using Zaffre.Database;
using Zaffre.Tracking.Registry;

namespace Zaffre.Tracking.Mlflow.Features.Registry;

/// <summary>Sets a tag of a registered model.</summary>
internal sealed class SetRegisteredModelTag(RegistryAccess registry) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "registered-models/set-tag");

    public override string Action => "workspaces/models/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (key, value) = RegistryLimits.Tag(request);
        await registry.ChangeModelAsync(call, request.RequiredText("name"), (_, properties) => RegistryAccess.Tags(properties)[key] = value, ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Deletes a tag of a registered model; one that is not there is no error.</summary>
internal sealed class DeleteRegisteredModelTag(RegistryAccess registry) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("DELETE", "registered-models/delete-tag");

    public override string Action => "workspaces/models/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var key = request.RequiredText("key");
        await registry.ChangeModelAsync(call, request.RequiredText("name"), (_, properties) => RegistryAccess.Tags(properties).Remove(key), ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Sets a tag of a version.</summary>
internal sealed class SetModelVersionTag(RegistryAccess registry) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "model-versions/set-tag");

    public override string Action => "workspaces/models/versions/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (key, value) = RegistryLimits.Tag(request);
        var which = (request.RequiredText("name"), request.RequiredText("version"));
        await registry.ChangeVersionAsync(call, which, (_, _, _, properties) => RegistryAccess.Tags(properties)[key] = value, ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Deletes a tag of a version; one that is not there is no error.</summary>
internal sealed class DeleteModelVersionTag(RegistryAccess registry) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("DELETE", "model-versions/delete-tag");

    public override string Action => "workspaces/models/versions/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var key = request.RequiredText("key");
        var which = (request.RequiredText("name"), request.RequiredText("version"));
        await registry.ChangeVersionAsync(call, which, (_, _, _, properties) => RegistryAccess.Tags(properties).Remove(key), ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Gives a version another name; an alias that is taken moves.</summary>
internal sealed class SetAlias(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "registered-models/alias");

    public override string Action => "workspaces/models/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (name, alias, number) = (request.RequiredText("name"), RegistryLimits.AliasName(request.RequiredText("alias")), request.RequiredText("version"));
        await database.WriteAsync(
            scope =>
            {
                var model = RegistryAccess.Model(scope, call, name);
                RegistryStore.SetAlias(scope, model, alias, RegistryAccess.Version(scope, model, number).Version);
                scope.Append(Event(call, model, "write", alias));
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }

    public static NewEvent Event(MlflowCall call, ModelRow model, string verb, string alias) =>
        new(call.Caller.ObjectId, "Microsoft.MachineLearningServices/workspaces/models/aliases/" + verb, $"{RegistryAccess.ModelId(call, model)}/aliases/{alias}");
}

/// <summary>Takes an alias away; one that is not there is no error.</summary>
internal sealed class DeleteAlias(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("DELETE", "registered-models/alias");

    public override string Action => "workspaces/models/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (name, alias) = (request.RequiredText("name"), RegistryLimits.AliasName(request.RequiredText("alias")));
        await database.WriteAsync(
            scope =>
            {
                var model = RegistryAccess.Model(scope, call, name);
                RegistryStore.DeleteAlias(scope, model, alias);
                scope.Append(SetAlias.Event(call, model, "delete", alias));
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>The version that an alias names.</summary>
internal sealed class GetByAlias(IDatabase database, RegistryAccess registry) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "registered-models/alias");

    public override string Action => "workspaces/models/versions/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (name, alias) = (request.RequiredText("name"), request.RequiredText("alias"));
        var model = await registry.FindAsync(call, name, ct);
        var number = alias.Equals("latest", StringComparison.OrdinalIgnoreCase)
            ? (await database.ReadAsync(connection => RegistryStore.LatestVersions(connection, model, []), ct)).MaxBy(version => version.Row.Key)?.Row.Version
            : await database.ReadAsync(connection => RegistryStore.AliasVersion(connection, model, alias), ct);
        if (number is null)
        {
            throw MlflowErrors.Invalid($"Registered model alias {alias} not found.");
        }

        var row = await registry.FindAsync(call, model, number, ct);
        await GetModelVersion.AnswerAsync(call, await registry.ReadVersionAsync(row.Key, ct), ct);
    }
}
