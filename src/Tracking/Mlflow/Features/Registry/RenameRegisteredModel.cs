using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Tracking.Registry;
using Zaffre.Web;

namespace Zaffre.Tracking.Mlflow.Features.Registry;

/// <summary>
/// Renames a model or a prompt, with its versions, aliases and times. Azure's assets keep their names, and jobs, components and deployments refer to them: a model of which any
/// resource of the workspace speaks keeps its name.
/// </summary>
internal sealed class RenameRegisteredModel(IDatabase database, IResources resources, RegistryAccess registry) : MlflowOperation
{
    private const string Versions = "versions";

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "registered-models/rename");

    public override string Action => "workspaces/models/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (name, wanted) = (request.RequiredText("name"), RegistryLimits.ModelName(request.RequiredText("new_name")));
        var key = await database.WriteAsync(scope => Rename(scope, call, RegistryAccess.Model(scope, call, name), wanted), ct);
        var renamed = await registry.ReadModelAsync(key, ct);
        await call.WriteAsync(
            json =>
            {
                json.WritePropertyName("registered_model");
                json.RegisteredModel(renamed);
            },
            ct);
    }

    private long Rename(WriteScope scope, MlflowCall call, ModelRow model, string wanted)
    {
        if (wanted == model.Name)
        {
            return model.Key;
        }

        var (before, after) = (RegistryAccess.ModelId(call, model), RegistryAccess.ModelId(call, model with { Name = wanted }));
        if (RegistryStore.Find(scope, call.Workspace, wanted) is not null || resources.Find(scope, after) is not null)
        {
            throw MlflowErrors.AlreadyExists($"Registered Model (name={wanted}) already exists.");
        }

        if (!model.IsPrompt && resources.FindMention(scope, call.Workspace.Id, Mentions(model.Name), before) is { } user)
        {
            throw MlflowErrors.BadRequest($"The model '{model.Name}' keeps its name, because '{user}' refers to it (OperationNotSupported). Create a model with the new name and register its versions there.");
        }

        var container = resources.Put(scope, after, resources.Find(scope, before)!.Document.Copy(), call.Caller);
        foreach (var version in resources.Children(scope, before, Versions))
        {
            resources.Put(scope, after.Child(Versions, version.Id.Name), version.Document.Copy(), call.Caller);
        }

        RegistryStore.Move(scope, before, after);
        resources.Delete(scope, before, call.Caller);
        return container.Sequence;
    }

    /// <summary>Every way in which a document names a model.</summary>
    private static IReadOnlyList<string> Mentions(string name) => [$"/models/{name}/", $"azureml:{name}:", $"azureml:{name}@", $"models:/{name}/", $"models:/{name}@"];
}
