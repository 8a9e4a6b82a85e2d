using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Tracking.Registry;
using Zaffre.Web;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Reading and changing the registry. Changes go into the model's resource, where ARM clients see them; answers are read back from the index.</summary>
internal sealed class RegistryAccess(IDatabase database, IResources resources)
{
    /// <summary>Changes the document of a model, and answers with the model.</summary>
    public async Task<ModelDetail> ChangeModelAsync(MlflowCall call, string name, Action<WriteScope, JsonObject> change, CancellationToken ct)
    {
        var key = await database.WriteAsync(
            scope =>
            {
                var model = Model(scope, call, name);
                Put(scope, call, ModelId(call, model), document => change(scope, document));
                return model.Key;
            },
            ct);
        return await ReadModelAsync(key, ct);
    }

    /// <summary>Changes the document of a version, and answers with the version.</summary>
    public async Task<VersionDetail> ChangeVersionAsync(MlflowCall call, (string Name, string Version) which, Action<WriteScope, ModelRow, VersionRow, JsonObject> change, CancellationToken ct)
    {
        var key = await database.WriteAsync(
            scope =>
            {
                var model = Model(scope, call, which.Name);
                var version = Version(scope, model, which.Version);
                Put(scope, call, VersionId(call, model, version.Version), document => change(scope, model, version, document));
                return version.Key;
            },
            ct);
        return await ReadVersionAsync(key, ct);
    }

    public void Put(WriteScope scope, MlflowCall call, ArmId id, Action<JsonObject> change)
    {
        var before = resources.Find(scope, id) ?? throw MlflowErrors.NotFound($"'{id.Name}' was deleted meanwhile.");
        var document = before.Document.Copy();
        document["properties"] ??= new JsonObject();
        change(document.Object("properties")!);
        RegistryLimits.CheckTags(document.Object("properties")!, before.Properties);
        if (!JsonNode.DeepEquals(before.Document, document))
        {
            resources.Put(scope, id, document, call.Caller);
        }
    }

    public async Task<ModelDetail> ReadModelAsync(long key, CancellationToken ct) =>
        (await database.ReadAsync(connection => RegistryStore.Models(connection, [key]), ct)) is [var model] ? model : throw MlflowErrors.NotFound("The model was deleted meanwhile.");

    public async Task<VersionDetail> ReadVersionAsync(long key, CancellationToken ct) =>
        (await database.ReadAsync(connection => RegistryStore.Versions(connection, [key]), ct)) is [var version] ? version : throw MlflowErrors.NotFound("The model version was deleted meanwhile.");

    public async Task<ModelRow> FindAsync(MlflowCall call, string name, CancellationToken ct) =>
        await database.ReadAsync(connection => RegistryStore.Find(connection, call.Workspace, name), ct) ?? throw MlflowErrors.NoModel(name);

    public async Task<VersionRow> FindAsync(MlflowCall call, ModelRow model, string version, CancellationToken ct) =>
        await database.ReadAsync(connection => RegistryStore.FindVersion(connection, model, version), ct) ?? throw MlflowErrors.NoVersion(model.Name, version);

    public static ModelRow Model(WriteScope scope, MlflowCall call, string name) => RegistryStore.Find(scope, call.Workspace, name) ?? throw MlflowErrors.NoModel(name);

    public static VersionRow Version(WriteScope scope, ModelRow model, string version) =>
        RegistryStore.FindVersion(scope, model, version) ?? throw MlflowErrors.NoVersion(model.Name, version);

    public static ArmId ModelId(MlflowCall call, ModelRow model) => call.Workspace.Child(model.IsPrompt ? "prompts" : "models", model.Name);

    public static ArmId VersionId(MlflowCall call, ModelRow model, string version) => ModelId(call, model).Child("versions", version);

    /// <summary>The tags of a document, made when it has none.</summary>
    public static JsonObject Tags(JsonObject properties)
    {
        properties["tags"] ??= new JsonObject();
        return properties.Object("tags")!;
    }
}
