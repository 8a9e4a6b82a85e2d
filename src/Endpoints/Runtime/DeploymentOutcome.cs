using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Endpoints.Data;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Endpoints.Runtime;

/// <summary>Writes how an attempt at a deployment ended: state, operation and event in one unit.</summary>
internal sealed class DeploymentOutcome(IDatabase database, IOperations operations)
{
    private const string Action = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/";

    /// <summary>The wanted generation serves with these instances, or with models in the gateway. False when the row has moved on.</summary>
    public Task<bool> SucceedAsync(DeploymentRow row, IReadOnlyList<string> workers, string? models = null) => database.WriteAsync(
        scope =>
        {
            if (!DeploymentStore.Settle(scope, row, models))
            {
                return false;
            }

            foreach (var worker in workers)
            {
                DeploymentStore.SetReady(scope, worker);
            }

            if (row.Operation is { } operation)
            {
                operations.Succeed(scope, operation);
            }

            scope.Append(new NewEvent(Caller.System.ObjectId, Action + "succeeded", row.DeploymentId, $"{{\"generation\":{row.Wanted}}}"));
            return true;
        },
        CancellationToken.None);

    public Task<bool> FailAsync(DeploymentRow row, JsonObject failure) => database.WriteAsync(
        scope =>
        {
            if (!DeploymentStore.Fail(scope, row, failure))
            {
                return false;
            }

            if (row.Operation is { } operation)
            {
                operations.Fail(scope, operation, Describe(row, failure));
            }

            scope.Append(new NewEvent(Caller.System.ObjectId, Action + "failed", row.DeploymentId, new JsonObject { ["generation"] = row.Wanted, ["code"] = failure.Text("code") }.ToJsonString()));
            return true;
        },
        CancellationToken.None);

    public Task RemoveAsync(DeploymentRow? row, string rowKey) => database.WriteAsync(
        scope =>
        {
            if (row?.Operation is { } operation)
            {
                operations.Fail(scope, operation, new Problem(ProblemKind.Conflict, "Canceled", "The deployment was deleted."));
            }

            DeploymentStore.Remove(scope, rowKey);
        },
        CancellationToken.None);

    public static WorkerRow AsReady(WorkerRow row) => new()
    {
        WorkerId = row.WorkerId,
        RowKey = row.RowKey,
        Generation = row.Generation,
        Slot = row.Slot,
        Ready = 1,
    };

    private static Problem Describe(DeploymentRow row, JsonObject failure)
    {
        var line = failure.Text("line") is { Length: > 0 } told ? $" At {told}." : "";
        var traceback = failure.Text("traceback") is { Length: > 0 } own ? "\n" + own : "";
        return new Problem(
            ProblemKind.Invalid,
            failure.Text("code") ?? "DeploymentFailed",
            $"Deployment '{row.Id.Name}' failed: {failure.Text("message")?.TrimEnd('.')}.{line} The log is kept: az ml online-deployment get-logs --endpoint-name {row.Id.Parent.Name} --name {row.Id.Name}.{traceback}");
    }
}
