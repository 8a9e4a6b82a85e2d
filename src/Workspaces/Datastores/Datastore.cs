using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>
/// Datastores. Blob datastores in this server's own accounts work; the others are stored and refused on use. Secrets go to
/// <see cref="ResourceSecrets"/> and never into the document; the two built-in ones keep their place and cannot be deleted.
/// </summary>
internal sealed partial class Datastore(ResourceSecrets secrets, IStorageAccounts accounts, IWorkspaces workspaces, IResources resources) : ArmResource
{
    private static readonly object SecretKey = new();

    public override string Path => "datastores/{name}";

    public override string Action => "workspaces/datastores";

    public override string? NameProblem(string part, string value) => null;

    public override IEnumerable<string> KeptOnly(JsonObject document) =>
        DatastoreLocations.IsBlob(document.Object("properties") ?? []) ? [] : StoredOnly.Present(document, "properties.datastoreType");

    public override async Task<Outcome<JsonObject>> PrepareAsync(ResourceCall call, JsonObject body, Resource? existing, CancellationToken ct)
    {
        var problems = DatastoreBody.Problems(body);
        if (!LegalName().IsMatch(call.Id.Name))
        {
            problems.Insert(0, ArmErrors.Invalid($"The datastore name '{(call.Id.Name.Length > 80 ? call.Id.Name[..80] + "..." : call.Id.Name)}' is not valid: use 1 to 255 letters, digits, '-' or '_', beginning with a letter or digit.", "name"));
        }

        if (problems.Count > 0)
        {
            return Problem.Combine(problems);
        }

        var properties = (JsonObject)body["properties"]!.DeepClone();
        var secret = TakeSecret(properties);
        if ((await PlaceProblemAsync(call, properties, secret, existing, ct) ?? await DefaultProblemAsync(properties, existing, ct)) is { } problem)
        {
            return problem;
        }

        KeepDefault(properties, existing);

        call.Http.Items[SecretKey] = secret;
        return new JsonObject { ["properties"] = properties };
    }

    public override void OnPut(WriteScope scope, ResourceCall call, Resource? before, Resource after)
    {
        if (after.Properties.Flag("isDefault") == true && before?.Properties.Flag("isDefault") != true)
        {
            OnlyDefault(scope, call, after);
        }

        if (call.Http.Items[SecretKey] is string secret)
        {
            secrets.Put(scope, after.Id, secret);
        }
        else if (before is not null && CredentialsType(before.Properties) != CredentialsType(after.Properties))
        {
            ResourceSecrets.Remove(scope, after.Id);
        }
    }

    public override void OnDelete(WriteScope scope, ResourceCall call, Resource resource)
    {
        if (BuiltInDatastore.Is(resource.Id.Name))
        {
            throw new ProblemException(ArmErrors.Conflict($"The datastore '{resource.Id.Name}' belongs to the workspace and cannot be deleted."));
        }

        if (IsDefault(resource))
        {
            throw new ProblemException(ArmErrors.Conflict($"The datastore '{resource.Id.Name}' is the default of the workspace; make another one the default first."));
        }
    }

    public override ValueTask RenderAsync(ResourceCall call, Resource resource, JsonObject answer, CancellationToken ct)
    {
        var properties = answer.Object("properties")!;
        properties["isDefault"] = IsDefault(resource);
        properties["tags"] ??= new JsonObject();
        properties["properties"] ??= new JsonObject();
        if (BuiltInDatastore.Is(resource.Id.Name) && properties.Text("accountName") is { } account)
        {
            var host = new Uri(call.Http.PublicUrls().Blob(call.Http, account)).Authority;
            properties["endpoint"] = host[(host.IndexOf(".blob.", StringComparison.Ordinal) + ".blob.".Length)..];
        }

        return ValueTask.CompletedTask;
    }

    public override bool Matches(IQueryCollection query, Resource resource)
    {
        var name = resource.Id.Name;
        return (!bool.TryParse(ListParameters.Value(query, "isDefault"), out var wanted) || wanted == IsDefault(resource))
            && (query["names"] is not [{ Length: > 0 }, ..] || query["names"].SelectMany(n => n!.Split(',')).Contains(name, StringComparer.OrdinalIgnoreCase))
            && (query["searchText"] is not [{ Length: > 0 } text] || name.Contains(text, StringComparison.OrdinalIgnoreCase));
    }

    // workspaceblobstore is the default as long as nobody has made another one the default.
    private static bool IsDefault(Resource datastore) =>
        datastore.Properties.Flag("isDefault") ?? datastore.Id.Name.Equals(BuiltInDatastores.Blob, StringComparison.OrdinalIgnoreCase);

    // Uploads and outputs go to the default: it must be a place that this server can write to.
    private async Task<Problem?> DefaultProblemAsync(JsonObject properties, Resource? existing, CancellationToken ct)
    {
        const string at = "properties.isDefault";
        if (properties["isDefault"] is { } given && given.GetValueKind() is not (System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False))
        {
            return ArmErrors.Invalid("'properties.isDefault' must be true or false.", at);
        }

        return properties.Flag("isDefault") switch
        {
            true when !DatastoreLocations.IsBlob(properties) || await accounts.FindAsync(properties.Text("accountName")!, ct) is null =>
                ArmErrors.Unsupported("a default datastore outside this server's storage accounts", at),
            false when existing is not null && IsDefault(existing) =>
                ArmErrors.Invalid($"The datastore '{existing.Id.Name}' is the default of the workspace; make another one the default instead.", at),
            _ => null,
        };
    }

    // Only a change is kept: what is not said stays as it was.
    private static void KeepDefault(JsonObject properties, Resource? existing)
    {
        if (properties.Flag("isDefault") == true)
        {
            return;
        }

        properties.Remove("isDefault");
        if (existing?.Properties.Flag("isDefault") is { } flag)
        {
            properties["isDefault"] = flag;
        }
    }

    private void OnlyDefault(WriteScope scope, ResourceCall call, Resource chosen)
    {
        foreach (var other in resources.Children(scope, call.Workspace.Id, "datastores").Where(other => other.Id != chosen.Id && IsDefault(other)))
        {
            var document = other.Document.Copy();
            document.Object("properties")!["isDefault"] = false;
            resources.Put(scope, other.Id, document, call.Caller);
        }
    }

    private static string? CredentialsType(JsonObject properties) => properties.Object("credentials")?.Text("credentialsType")?.ToUpperInvariant();

    private static string? TakeSecret(JsonObject properties)
    {
        var credentials = properties.Object("credentials")!;
        var secret = DatastoreBody.SecretMember(credentials.Text("credentialsType")!) is { } member ? credentials.Object("secrets")?.Text(member) : null;
        credentials.Remove("secrets");
        return secret;
    }

    // A datastore opens its container to every job of the workspace, so it may only name an account that is the workspace's own or whose key the caller holds.
    private async Task<Problem?> PlaceProblemAsync(ResourceCall call, JsonObject properties, string? secret, Resource? existing, CancellationToken ct)
    {
        var (account, container) = (properties.Text("accountName"), properties.Text("containerName"));
        if (existing is not null && BuiltInDatastore.Is(existing.Id.Name))
        {
            return account == existing.Properties.Text("accountName") && container == existing.Properties.Text("containerName") && secret is null
                ? null
                : ArmErrors.Conflict($"The datastore '{existing.Id.Name}' belongs to the workspace; only its description, tags and properties can be changed.");
        }

        if (!DatastoreLocations.IsBlob(properties) || await accounts.GetKeyAsync(account!, ct) is not { } key)
        {
            return null;
        }

        secret ??= existing is null ? null : await secrets.FindAsync(existing.Id, ct);
        var isKey = CredentialsType(properties) == "ACCOUNTKEY";
        if (isKey && secret != key)
        {
            return ArmErrors.Invalid($"The key is not one of storage account '{account}'.", "properties.credentials.secrets.key");
        }

        if (!isKey && (await workspaces.FindAsync(call.Workspace, ct))?.StorageAccount != account)
        {
            return ArmErrors.Invalid($"A datastore in storage account '{account}' of another workspace needs its AccountKey as credentials.", "properties.credentials.credentialsType");
        }

        var ensured = await accounts.EnsureContainerAsync(account!, container!, ct);
        return ensured.Problem is { } problem ? problem with { Target = "properties.containerName" } : null;
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9_\-]{0,254}\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex LegalName();
}
