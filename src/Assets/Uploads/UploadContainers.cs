using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Assets.Uploads;

/// <summary>
/// The containers into which clients upload what they then register: a fresh one for each upload, in the workspace's own account. No
/// datastore covers them; their name says whose they are.
/// </summary>
internal sealed class UploadContainers(IWorkspaces workspaces, IStorageAccounts accounts, IBlobSigner signer)
{
    /// <summary>The kind of upload there is.</summary>
    public const string Temporary = "TemporaryBlobReference";

    private const BlobRights Rights = BlobRights.Read | BlobRights.Add | BlobRights.Create | BlobRights.Write | BlobRights.List;

    /// <summary>Long enough for a large upload over a slow line.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    /// <summary>The answer to a client that wants to upload: a new, empty container of the workspace, with a signature for it.</summary>
    public async Task<Outcome<JsonObject>> OfferAsync(HttpContext context, WorkspaceRef workspace, CancellationToken ct)
    {
        if (!(await CreateAsync(workspace, ct)).TryGet(out var container, out var problem))
        {
            return problem;
        }

        return new JsonObject
        {
            ["pendingUploadId"] = container.Container,
            ["pendingUploadType"] = Temporary,
            ["blobReferenceForConsumption"] = new JsonObject
            {
                ["blobUri"] = signer.Plain(context, container).AbsoluteUri,
                ["storageAccountArmId"] = (await accounts.FindAsync(container.Account, ct))?.Scope.Value,
                ["credential"] = new JsonObject
                {
                    ["credentialType"] = "SAS",
                    ["sasUri"] = (await signer.SignAsync(context, container, Rights, Lifetime, ct)).AbsoluteUri,
                },
            },
        };
    }

    /// <summary>Whether the place lies in an upload container of the workspace.</summary>
    public async Task<bool> HoldAsync(WorkspaceRef workspace, BlobLocation location, CancellationToken ct) =>
        await workspaces.FindAsync(workspace, ct) is { } owner
        && owner.StorageAccount == location.Account
        && location.Container.StartsWith(Prefix(owner), StringComparison.Ordinal);

    private async Task<Outcome<BlobAddress>> CreateAsync(WorkspaceRef workspace, CancellationToken ct)
    {
        if (!(await workspaces.GetAsync(workspace, ct)).TryGet(out var owner, out var problem))
        {
            return problem;
        }

        var container = Prefix(owner) + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        return (await accounts.EnsureContainerAsync(owner.StorageAccount, container, ct)).TryGet(out _, out problem)
            ? new BlobAddress(owner.StorageAccount, container, "")
            : problem;
    }

    private static string Prefix(Workspace workspace) => $"upload-{workspace.WorkspaceId.Replace("-", "", StringComparison.Ordinal)}-";
}
