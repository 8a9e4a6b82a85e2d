using Microsoft.Extensions.Logging;
using Zaffre.Database;
using Zaffre.Identity.Access;
using Zaffre.Identity.Data;
using Zaffre.Kernel;

namespace Zaffre.Identity.Principals;

/// <summary>
/// Makes tenant, subscription and owner at first start. Later starts find them; when the owner's file is gone or its secret is
/// not the stored one, the owner gets a new secret and a new file.
/// </summary>
internal sealed class OwnerSetup(DataDirectory data, IDatabase database, ILogger<OwnerSetup> log)
{
    /// <summary>Runs once, when the first module asks for the owner; the database's writer is a thread of its own, so waiting here blocks nothing it needs.</summary>
    public LocalOwner Ensure()
    {
        var file = OwnerFile.Read(data);
        var owner = database.WriteAsync(scope => Ensure(scope, file), CancellationToken.None).GetAwaiter().GetResult();
        if (owner != file)
        {
            owner.Write(data);
            IdentityLog.OwnerWritten(log, owner.ClientId);
        }

        return owner.ToOwner();
    }

    private static OwnerFile Ensure(WriteScope scope, OwnerFile? file)
    {
        if (PrincipalRows.Home(scope) is not { } home)
        {
            return Create(scope, file ?? new OwnerFile(NewId(), NewId(), NewId(), NewId(), ClientSecret.Create()));
        }

        var row = PrincipalRows.Find(scope, home.OwnerObjectId)
            ?? throw new InvalidOperationException("The owner of this data directory is missing from its database. Restore a backup.");
        if (file is not null
            && file == new OwnerFile(home.TenantId, home.SubscriptionId, row.ClientId, row.ObjectId, file.ClientSecret)
            && ClientSecret.Matches(file.ClientSecret, row.SecretSalt, row.SecretHash))
        {
            return file;
        }

        var secret = ClientSecret.Create();
        var (salt, hash) = ClientSecret.Hash(secret);
        PrincipalRows.SetSecret(scope, row.ObjectId, salt, hash);
        scope.Append(new NewEvent("Zaffre", "Zaffre/principals/secret/write", "/principals/" + row.ObjectId));
        return new OwnerFile(home.TenantId, home.SubscriptionId, row.ClientId, row.ObjectId, secret);
    }

    private static OwnerFile Create(WriteScope scope, OwnerFile owner)
    {
        var (salt, hash) = ClientSecret.Hash(owner.ClientSecret);
        var now = scope.Now.ToUnixTimeMilliseconds();
        PrincipalRows.SetHome(scope, new HomeRow { TenantId = owner.TenantId, SubscriptionId = owner.SubscriptionId, OwnerObjectId = owner.ObjectId });
        PrincipalRows.Insert(scope, new PrincipalRow { ObjectId = owner.ObjectId, ClientId = owner.ClientId, Name = "owner", SecretSalt = salt, SecretHash = hash, CreatedAt = now });
        scope.Append(new NewEvent("Zaffre", "Zaffre/principals/write", "/principals/" + owner.ObjectId));
        foreach (var role in new[] { RoleCatalog.Owner, RoleCatalog.BlobDataContributor })
        {
            var assignment = new AssignmentRow
            {
                ScopeKey = "",
                Name = NewId(),
                Scope = "/",
                RoleId = role,
                PrincipalId = owner.ObjectId,
                Description = "The owner made at first start",
                CreatedAt = now,
                CreatedBy = owner.ObjectId,
                UpdatedAt = now,
            };
            AssignmentRows.Insert(scope, assignment);
            scope.Append(new NewEvent("Zaffre", "Microsoft.Authorization/roleAssignments/write", "/providers/Microsoft.Authorization/roleAssignments/" + assignment.Name));
        }

        return owner;
    }

    private static string NewId() => Guid.NewGuid().ToString();
}
