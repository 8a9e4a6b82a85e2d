using Zaffre.Database;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Tracking.Data;

/// <summary>Deletes what hangs under a workspace that goes, or the run of a job that goes.</summary>
internal sealed class RunDeletion(WorkspaceKeys workspaces) : IScopedDeletion
{
    private static readonly string[] OfRuns = ["run_tags", "run_tags_gone", "run_states", "run_properties", "run_params", "run_outputs", "run_metrics", "run_metric_buckets", "run_latest", "run_datasets", "run_dataset_tags", "run_models", "logged_model_metrics"];

    public void Delete(WriteScope write, ArmId scope)
    {
        var key = scope.Key;
        foreach (var workspace in write.Query<long>("SELECT key FROM run_workspaces WHERE id = @key OR substr(id, 1, length(@below)) = @below", new { key, below = key + "/" }))
        {
            DeleteRuns(write, "workspace = @workspace", new { workspace });
            foreach (var table in new[] { "logged_model_tags", "logged_model_params", "logged_model_metrics" })
            {
                write.Execute($"DELETE FROM {table} WHERE model IN (SELECT key FROM logged_models WHERE workspace = @workspace)", new { workspace });
            }

            Traces.TraceStore.Delete(write, "workspace = @workspace", new { workspace });
            write.Execute("DELETE FROM logged_models WHERE workspace = @workspace", new { workspace });
            write.Execute("DELETE FROM experiment_tags WHERE experiment IN (SELECT key FROM experiments WHERE workspace = @workspace)", new { workspace });
            write.Execute("DELETE FROM datasets WHERE experiment IN (SELECT key FROM experiments WHERE workspace = @workspace)", new { workspace });
            write.Execute("DELETE FROM experiments WHERE workspace = @workspace", new { workspace });
            write.Execute("DELETE FROM run_workspaces WHERE key = @workspace", new { workspace });
        }

        workspaces.Forget(write, key);
        if (WorkspaceRef.TryParse(scope.Value, out var owner, out var rest) && rest.Split('/') is ["jobs", var job])
        {
            DeleteRuns(write, "workspace = (SELECT key FROM run_workspaces WHERE id = @owner) AND id = @job", new { owner = owner.Id.Key, job });
        }
    }

    private static void DeleteRuns(WriteScope write, string condition, object parameters)
    {
        foreach (var table in OfRuns)
        {
            write.Execute($"DELETE FROM {table} WHERE run IN (SELECT key FROM runs WHERE {condition})", parameters);
        }

        if (write.Execute($"DELETE FROM runs WHERE {condition}", parameters) > 0)
        {
            write.Announce(new RunsGone());
        }
    }
}
