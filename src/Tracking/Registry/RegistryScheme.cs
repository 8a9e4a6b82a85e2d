using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.Registry;

/// <summary>
/// <c>models:/{name}/{version}</c>, with a stage or <c>latest</c> in place of the version, <c>models:/{name}@{alias}</c>, or the files of a
/// logged model, <c>models:/m-{id}/{path}</c>.
/// </summary>
internal sealed class RegistryScheme(IDatabase database, WorkspaceKeys workspaces) : IUriScheme
{
    /// <inheritdoc/>
    public string Prefix => "models:/";

    /// <inheritdoc/>
    public async Task<Outcome<string>> TranslateAsync(WorkspaceRef workspace, string uri, CancellationToken ct)
    {
        var reference = uri[Prefix.Length..].Trim('/');
        if (reference.StartsWith("m-", StringComparison.Ordinal) && await LoggedAsync(workspace, reference, ct) is { } logged)
        {
            return logged;
        }

        var found = await database.ReadAsync(connection => Find(connection, workspace, reference), ct);
        return found is null ? ArmErrors.NotFound($"The model '{uri}'") : workspace.Child("models", found.Name).Child("versions", found.Version).Value;
    }

    private async Task<string?> LoggedAsync(WorkspaceRef workspace, string reference, CancellationToken ct)
    {
        var parts = reference.Split('/', 2);
        var key = await workspaces.EnsureAsync(workspace, ct);
        return await database.ReadAsync(connection => LoggedModelStore.Find(connection, key, parts[0]), ct) is { } model
            ? $"azureml://datastores/{RunArtifacts.Datastore}/paths/{model.Prefix}{(parts.Length > 1 ? "/" + parts[1] : "")}"
            : null;
    }

    private static VersionRow? Find(System.Data.Common.DbConnection connection, WorkspaceRef workspace, string reference)
    {
        if (reference.Split('@') is [{ Length: > 0 } name, { Length: > 0 } alias])
        {
            return RegistryStore.Find(connection, workspace, name) is { } model && RegistryStore.AliasVersion(connection, model, alias) is { } version
                ? RegistryStore.FindVersion(connection, model, version)
                : null;
        }

        if (reference.Split('/') is not [{ Length: > 0 } named, { Length: > 0 } part] || RegistryStore.Find(connection, workspace, named) is not { } found)
        {
            return null;
        }

        return RegistryStore.FindVersion(connection, found, part)
            ?? RegistryStore.LatestVersions(connection, found, part.Equals("latest", StringComparison.OrdinalIgnoreCase) ? [] : [part]).MaxBy(version => version.Row.Key)?.Row;
    }
}
