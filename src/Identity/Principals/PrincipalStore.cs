using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Identity.Access;
using Zaffre.Identity.Data;
using Zaffre.Kernel;

namespace Zaffre.Identity.Principals;

internal sealed class PrincipalStore(IDatabase database, AccessDirectory directory, LocalOwner owner) : IPrincipals
{
    public async Task<CreatedPrincipal> CreateAsync(string name, string actor, CancellationToken ct)
    {
        if (name.Length is 0 or > 120 || name.Any(char.IsControl))
        {
            throw new ProblemException(new Problem(ProblemKind.Invalid, "InvalidPrincipalName", "A principal's name has 1 to 120 printable characters.") { Target = "name" });
        }

        var secret = ClientSecret.Create();
        var (salt, hash) = ClientSecret.Hash(secret);
        var row = await database.WriteAsync(
            scope =>
            {
                var row = new PrincipalRow
                {
                    ObjectId = Guid.NewGuid().ToString(),
                    ClientId = Guid.NewGuid().ToString(),
                    Name = name,
                    SecretSalt = salt,
                    SecretHash = hash,
                    CreatedAt = scope.Now.ToUnixTimeMilliseconds(),
                };
                PrincipalRows.Insert(scope, row);
                scope.Append(new NewEvent(actor, "Zaffre/principals/write", "/principals/" + row.ObjectId, new JsonObject { ["name"] = name }.ToJsonString()));
                directory.Changed(scope);
                return row;
            },
            ct);
        return new CreatedPrincipal(row.ToPrincipal(), secret);
    }

    public async Task<Principal?> FindAsync(string id, CancellationToken ct)
    {
        var snapshot = await directory.GetAsync(ct);
        return (snapshot.FindObject(id) ?? snapshot.FindClient(id))?.ToPrincipal();
    }

    public async Task<IReadOnlyList<Principal>> ListAsync(CancellationToken ct) =>
        [.. (await directory.GetAsync(ct)).Principals.Select(row => row.ToPrincipal())];

    public Task<bool> DeleteAsync(string id, string actor, CancellationToken ct) => database.WriteAsync(
        scope =>
        {
            if (PrincipalRows.Find(scope, id) is not { } row)
            {
                return false;
            }

            if (row.ObjectId == owner.ObjectId)
            {
                throw new ProblemException(new Problem(ProblemKind.Conflict, "OwnerIsNeeded", "The local owner cannot be deleted: this server's own CLI acts as it."));
            }

            PrincipalRows.Delete(scope, row.ObjectId);
            AssignmentRows.DeleteOf(scope, row.ObjectId);
            scope.Append(new NewEvent(actor, "Zaffre/principals/delete", "/principals/" + row.ObjectId));
            directory.Changed(scope);
            return true;
        },
        ct);
}
