using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Tracking.Registry;

/// <summary>
/// Follows the model resources, whoever writes them, so that MLflow's searches have columns to look at. Anonymous models, which no
/// list shows, are not in it.
/// </summary>
internal sealed class RegistryIndex : IResourceIndex, IScopedDeletion
{
    public const string NoStage = "None";

    private const string AnonymousOnly = "anonymousOnly";

    private const string PutModel =
        "INSERT INTO registered_models (key, id, workspace, name, description, archived, created, updated, user) VALUES (@Key, @Id, @Workspace, @Name, @Description, @Archived, @Created, @Updated, @User) "
        + "ON CONFLICT (key) DO UPDATE SET description = excluded.description, archived = excluded.archived, created = excluded.created, updated = excluded.updated, user = excluded.user";

    private const string PutVersion =
        "INSERT INTO model_versions (key, id, workspace, model, version, number, stage, source, uri, run, description, archived, created, updated, user) "
        + "VALUES (@Key, @Id, @Workspace, @Model, @Name, @Number, @Stage, @Uri, @Uri, @Run, @Description, @Archived, @Created, @Updated, @User) "
        + "ON CONFLICT (key) DO UPDATE SET stage = excluded.stage, source = CASE WHEN uri = excluded.uri THEN source ELSE excluded.uri END, uri = excluded.uri, run = excluded.run, "
        + "description = excluded.description, archived = excluded.archived, created = excluded.created, updated = excluded.updated, user = excluded.user";

    public void OnPut(WriteScope scope, Resource resource)
    {
        if (!WorkspaceRef.TryParse(resource.Id.Value, out var workspace, out var rest))
        {
            return;
        }

        var parts = rest.Split('/');
        if (parts[0] is not ("models" or "prompts"))
        {
            return;
        }

        if (parts.Length == 2 && resource.Document[AnonymousOnly] is null)
        {
            PutContainer(scope, workspace, resource);
        }
        else if (parts is [_, _, "versions", _] && resource.Properties.Flag("isAnonymous") != true)
        {
            scope.Execute(PutVersion, Row(workspace, resource));
            PutTags(scope, "model_version_tags", "version", resource);
        }
    }

    public void Delete(WriteScope write, ArmId scope)
    {
        var below = new { key = scope.Key, from = scope.Key + "/", past = scope.Key + "0" };
        const string Within = "(id = @key OR (id > @from AND id < @past))";
        write.Execute($"DELETE FROM model_aliases WHERE (model, version) IN (SELECT model, version FROM model_versions WHERE {Within})", below);
        write.Execute($"DELETE FROM model_version_tags WHERE version IN (SELECT key FROM model_versions WHERE {Within})", below);
        write.Execute($"DELETE FROM registered_model_tags WHERE model IN (SELECT key FROM registered_models WHERE {Within})", below);
        write.Execute($"DELETE FROM model_versions WHERE {Within}", below);
        write.Execute($"DELETE FROM registered_models WHERE {Within}", below);
    }

    private static void PutContainer(WriteScope scope, WorkspaceRef workspace, Resource resource)
    {
        // A prompt and a model are one name to MLflow; the other kind's row makes this one impossible.
        var taken = scope.QueryFirstOrDefault<string>(
            "SELECT id FROM registered_models WHERE workspace = @workspace AND name = @name AND id != @id",
            new { workspace = workspace.Id.Key, name = resource.Id.Name, id = resource.Id.Key });
        if (taken is not null)
        {
            throw new ProblemException(ArmErrors.Conflict($"A registered {(taken.Contains("/prompts/", StringComparison.Ordinal) ? "prompt" : "model")} named '{resource.Id.Name}' already exists."));
        }

        scope.Execute(PutModel, Row(workspace, resource));
        PutTags(scope, "registered_model_tags", "model", resource);
    }

    private static object Row(WorkspaceRef workspace, Resource resource)
    {
        var properties = resource.Properties;
        return new
        {
            Key = resource.Sequence,
            Id = resource.Id.Key,
            Workspace = workspace.Id.Key,
            Model = resource.Id.Parent.Key,
            resource.Id.Name,
            Number = long.TryParse(resource.Id.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (long?)null,
            Stage = properties.Text("stage") is { Length: > 0 } stage ? stage : NoStage,
            Uri = properties.Text("modelUri") ?? "",
            Run = properties.Text("jobName") ?? "",
            Description = properties.Text("description"),
            Archived = resource.Archived ? 1 : 0,
            Created = resource.CreatedAt.ToUnixTimeMilliseconds(),
            Updated = resource.LastModifiedAt.ToUnixTimeMilliseconds(),
            User = resource.CreatedBy,
        };
    }

    private static void PutTags(WriteScope scope, string table, string owner, Resource resource)
    {
        scope.Execute($"DELETE FROM {table} WHERE {owner} = @Sequence", new { resource.Sequence });
        foreach (var (name, value) in resource.Properties.Object("tags") ?? [])
        {
            scope.Execute($"INSERT INTO {table} ({owner}, name, value) VALUES (@Sequence, @name, @value)", new { resource.Sequence, name, value = value.Text() ?? "" });
        }
    }
}
