using System.Text.Json.Nodes;
using Dapper;
using Zaffre.Database;
using Zaffre.Kernel;

namespace Zaffre.Web;

internal sealed record OperationRow(string Id, string Target, string Status, string? Result, string? Error, long Started, long? Ended);

internal sealed class OperationStore(IDatabase database) : IOperations
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    public Operation Start(WriteScope scope, ArmId target, string location)
    {
        var id = Guid.NewGuid().ToString();
        scope.Execute("DELETE FROM operations WHERE started < @before AND status <> 'InProgress'", new { before = (scope.Now - Kept).ToUnixTimeMilliseconds() });
        scope.Execute(
            "INSERT INTO operations (id, target, status, started) VALUES (@id, @target, 'InProgress', @started)",
            new { id, target = target.Value, started = scope.Now.ToUnixTimeMilliseconds() });
        return new Operation(id, target, location);
    }

    public void Succeed(WriteScope scope, string id, JsonObject? result = null) => End(scope, id, "Succeeded", result?.ToJsonString(ZaffreJson.Options), null);

    public void Fail(WriteScope scope, string id, Problem problem) => End(scope, id, "Failed", null, ArmResults.ErrorBody(problem).ToJsonString(ZaffreJson.Options));

    public Task<OperationRow?> FindAsync(string id, CancellationToken ct) => database.ReadAsync(
        connection => connection.QueryFirstOrDefault<OperationRow>("SELECT id, target, status, result, error, started, ended FROM operations WHERE id = @id", new { id }),
        ct);

    private static void End(WriteScope scope, string id, string status, string? result, string? error) => scope.Execute(
        "UPDATE operations SET status = @status, result = @result, error = @error, ended = @ended WHERE id = @id AND status = 'InProgress'",
        new { id, status, result, error, ended = scope.Now.ToUnixTimeMilliseconds() });
}
