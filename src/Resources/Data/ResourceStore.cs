using System.Text.Json.Nodes;
using Dapper;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Resources;

internal sealed class ResourceStore(IDatabase database, IEnumerable<IScopedDeletion> deletions, IEnumerable<IResourceIndex> indexes) : IResources, IScopes
{
    private const string FindSql = $"SELECT {ResourceRow.Columns} FROM resources WHERE key = @key";

    public Task<Resource?> FindAsync(ArmId id, CancellationToken ct) => database.ReadAsync(
        connection => connection.QueryFirstOrDefault<ResourceRow>(FindSql, new { key = id.Key })?.ToResource(),
        ct);

    public Task<IReadOnlyList<Resource>> FindAllAsync(IReadOnlyList<long> sequences, CancellationToken ct) => database.ReadAsync<IReadOnlyList<Resource>>(
        connection =>
        {
            var found = connection.Query<ResourceRow>($"SELECT {ResourceRow.Columns} FROM resources WHERE sequence IN @sequences", new { sequences }).ToDictionary(row => row.Sequence);
            return [.. sequences.Where(found.ContainsKey).Select(sequence => found[sequence].ToResource())];
        },
        ct);

    public async ValueTask<bool> ExistsAsync(ArmId scope, CancellationToken ct) => await database.ReadAsync(
        connection => connection.ExecuteScalar<long>("SELECT EXISTS (SELECT 1 FROM resources WHERE key = @key)", new { key = scope.Key }) != 0,
        ct);

    public Resource? Find(WriteScope scope, ArmId id) => scope.QueryFirstOrDefault<ResourceRow>(FindSql, new { key = id.Key })?.ToResource();

    public IReadOnlyList<Resource> Children(WriteScope scope, ArmId parent, string type) => [.. scope.Query<ResourceRow>(
        $"SELECT {ResourceRow.Columns} FROM resources WHERE parent = @parent AND type = @type ORDER BY sequence",
        new { parent = parent.Key, type = type.ToLowerInvariant() }).Select(row => row.ToResource())];

    public ArmId? FindMention(WriteScope scope, ArmId within, IReadOnlyList<string> texts, ArmId except)
    {
        var parameters = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["below"] = within.Key + "/", ["past"] = within.Key + "0", ["except"] = except.Key, ["exceptBelow"] = except.Key + "/", ["exceptPast"] = except.Key + "0",
        };
        for (var i = 0; i < texts.Count; i++)
        {
            parameters[$"text{i}"] = texts[i].ToLowerInvariant();
        }

        var found = scope.QueryFirstOrDefault<string>(
            "SELECT id FROM resources WHERE key > @below AND key < @past AND key != @except AND NOT (key > @exceptBelow AND key < @exceptPast) AND ("
            + string.Join(" OR ", texts.Select((_, i) => $"instr(lower(document), @text{i}) > 0")) + ") LIMIT 1",
            parameters);
        return found is null ? null : new ArmId(found);
    }

    public Task<Page<Resource>> ListAsync(ResourceQuery query, CancellationToken ct) => database.ReadAsync(connection => new ResourceListing(query).Read(connection, ct), ct);

    public Resource Put(WriteScope scope, ArmId id, JsonObject document, Caller actor, PutCondition condition = default)
    {
        var before = Find(scope, id);
        Check(id, before, condition);
        var row = new
        {
            key = id.Key,
            id = id.Value,
            parent = id.Parent.Key,
            type = LastType(id),
            document = document.ToJsonString(ZaffreJson.Options),
            archived = document.Object("properties")?.Flag("isArchived") == true ? 1 : 0,
            actor = actor.Name,
            actorType = actor.Type,
            now = scope.Now.ToUnixTimeMilliseconds(),
        };
        scope.Execute(before is null ? InsertSql : UpdateSql, row);
        var after = Find(scope, id)!;
        foreach (var index in indexes)
        {
            index.OnPut(scope, after);
        }

        scope.Append(new NewEvent(actor.ObjectId, after.Id.Type + "/write", after.Id.Value, $$"""{"revision":{{after.Revision}}}"""));
        return after;
    }

    public void Date(WriteScope scope, ArmId id, (string By, DateTimeOffset At)? created, DateTimeOffset modified)
    {
        scope.Execute(
            "UPDATE resources SET created_by = coalesce(@by, created_by), created_at = coalesce(@at, created_at), modified_at = @modified WHERE key = @key",
            new { key = id.Key, by = created?.By, at = created?.At.ToUnixTimeMilliseconds(), modified = modified.ToUnixTimeMilliseconds() });
        if (Find(scope, id) is { } after)
        {
            foreach (var index in indexes)
            {
                index.OnPut(scope, after);
            }
        }
    }

    public bool Delete(WriteScope scope, ArmId id, Caller actor, PutCondition condition = default)
    {
        var before = Find(scope, id);
        if (before is null)
        {
            return false;
        }

        Check(id, before, condition);
        foreach (var deletion in deletions)
        {
            deletion.Delete(scope, before.Id);
        }

        // '0' follows '/' in ordinal order: the range holds every key below this one.
        scope.Execute("DELETE FROM resources WHERE key = @key OR (key > @below AND key < @past)", new { key = id.Key, below = id.Key + "/", past = id.Key + "0" });
        scope.Append(new NewEvent(actor.ObjectId, before.Id.Type + "/delete", before.Id.Value, $$"""{"revision":{{before.Revision}}}"""));
        return true;
    }

    private const string InsertSql = """
        INSERT INTO resources (key, id, parent, type, document, archived, revision, created_by, created_by_type, created_at, modified_by, modified_by_type, modified_at)
        VALUES (@key, @id, @parent, @type, @document, @archived, 0, @actor, @actorType, @now, @actor, @actorType, @now);
        UPDATE resources SET revision = sequence << 20 WHERE key = @key;
        """;

    private const string UpdateSql = """
        UPDATE resources SET document = @document, archived = @archived, revision = revision + 1,
            modified_by = @actor, modified_by_type = @actorType, modified_at = @now
        WHERE key = @key
        """;

    private static void Check(ArmId id, Resource? before, PutCondition condition)
    {
        var matches = condition.IfMatch is null || (before is not null && (condition.IfMatch == "*" || condition.IfMatch.Trim() == before.ETag));
        var differs = condition.IfNoneMatch is null || before is null || (condition.IfNoneMatch != "*" && condition.IfNoneMatch.Trim() != before.ETag);
        if (!matches || !differs)
        {
            throw new ProblemException(ArmErrors.PreconditionFailed(id));
        }
    }

    private static string LastType(ArmId id)
    {
        var parts = id.Key.Split('/');
        return parts[^2];
    }
}
