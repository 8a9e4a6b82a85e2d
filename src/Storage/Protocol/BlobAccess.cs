using Microsoft.AspNetCore.Http;
using Zaffre.Identity;
using Zaffre.Storage.Access;
using Zaffre.Storage.Blobs;
using Zaffre.Web;

namespace Zaffre.Storage.Protocol;

/// <summary>Who may do what: the account's key, a signature, or a bearer token with a role.</summary>
internal sealed class BlobAccess(IAuthenticator authenticator, IAuthorizer authorizer, LocalOwner home, TimeProvider time)
{
    /// <summary>Lets the call through, marked create-only where that is all its credential allows, or throws.</summary>
    public async Task<BlobCall> AuthorizeAsync(BlobCall call, BlobOperation operation)
    {
        var authorization = call.Header("Authorization");
        if (authorization is not null && SharedKey.IsScheme(authorization))
        {
            SharedKey.Verify(call.Request, call.Target, authorization, call.Account.Keys, time.GetUtcNow());
            return call;
        }

        if (authorization?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true)
        {
            await CheckBearerAsync(call, operation, authorization["Bearer ".Length..].Trim());
            return call;
        }

        if (authorization is not null)
        {
            throw BlobErrors.AuthenticationFailed("the scheme of the Authorization header is none of SharedKey and Bearer.");
        }

        return Sas.IsPresent(call.Target) ? CheckSignature(call, operation) : throw BlobErrors.NoCredential(Challenge);
    }

    /// <summary>Whether the source of a copy may be read: by its own signature or token, or by the credential of the request.</summary>
    public async Task AuthorizeSourceAsync(BlobCall source, BlobCall call)
    {
        var reading = BlobOperation.Read("Get Blob", _ => Task.CompletedTask);
        if (Sas.IsPresent(source.Target))
        {
            CheckSignature(source, reading);
        }
        else if ((call.Header("x-ms-copy-source-authorization") ?? call.Header("Authorization")) is { } authorization && authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            await CheckBearerAsync(source, reading, authorization["Bearer ".Length..].Trim());
        }
        else if (call.Header("Authorization") is null || source.Account.Account.Name != call.Account.Account.Name)
        {
            throw BlobErrors.CannotVerifyCopySource("its URL needs a signature of its own.");
        }
    }

    private string Challenge => $"Bearer authorization_uri=https://login.microsoftonline.com/{home.TenantId}/oauth2/authorize resource_id=https://storage.azure.com";

    private async Task CheckBearerAsync(BlobCall call, BlobOperation operation, string bearer)
    {
        if (!(await authenticator.AuthenticateAsync(bearer, Surface.Storage, call.Aborted)).TryGet(out var caller, out var problem))
        {
            throw BlobErrors.BadToken(Challenge, problem.Message);
        }

        var container = call.Target.Container;
        var scope = new ArmId(call.Account.Account.Scope + (container.Length == 0 ? "" : $"/blobServices/default/containers/{container}"));

        // Who may list the account's keys may do everything that they open.
        if (!await authorizer.AllowsAsync(caller, operation.Action, scope, operation.IsData, call.Aborted)
            && !await authorizer.AllowsAsync(caller, "Microsoft.Storage/storageAccounts/listKeys/action", scope, isDataAction: false, call.Aborted))
        {
            throw BlobErrors.PermissionMismatch(operation.Name);
        }
    }

    private BlobCall CheckSignature(BlobCall call, BlobOperation operation)
    {
        var http = call.Http;
        var grant = Sas.Verify(call.Target, call.Account.Keys, http.Connection.RemoteIpAddress, http.Request.IsHttps, time.GetUtcNow());
        var reaches = grant.Scope switch
        {
            SasScope.Account => grant.ResourceTypes.Contains(operation.Level switch { BlobLevel.Service => 's', BlobLevel.Container => 'c', _ => 'o' }, StringComparison.Ordinal),
            SasScope.Container => operation.Level == BlobLevel.Object || operation.Permissions == "l",
            _ => operation.Level == BlobLevel.Object,
        };
        if (!reaches)
        {
            throw BlobErrors.ResourceTypeMismatch(operation.Name);
        }

        if (!grant.Allows(operation.Permissions))
        {
            throw BlobErrors.PermissionMismatch(operation.Name);
        }

        return call with { OnlyCreate = operation.Permissions == "wc" && !grant.Allows("w") };
    }
}
