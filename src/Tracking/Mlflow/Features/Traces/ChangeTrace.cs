using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Traces;

namespace Zaffre.Tracking.Mlflow.Features.Traces;

/// <summary>Sets a tag of a trace.</summary>
internal sealed class SetTraceTag(TraceAccess traces) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.Both("PATCH", "/{trace_id}/tags");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var tag = MlflowLimits.TracePair(await call.ReadAsync(ct));
        await traces.WriteAsync(call, TraceAccess.Id(call), (scope, trace) => TraceStore.SetTags(scope, trace.Key, [tag]), ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Deletes a tag of a trace.</summary>
internal sealed class DeleteTraceTag(TraceAccess traces) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.Both("DELETE", "/{trace_id}/tags");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var name = (await call.ReadAsync(ct)).RequiredText("key");
        await traces.WriteAsync(
            call,
            TraceAccess.Id(call),
            (scope, trace) =>
            {
                if (!TraceStore.DeleteTag(scope, trace.Key, name))
                {
                    throw MlflowErrors.NotFound($"No trace tag with key '{name}' for trace with ID '{trace.Id}'");
                }
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Deletes traces of an experiment: those named, or the oldest.</summary>
internal sealed class DeleteTraces(IDatabase database) : MlflowOperation
{
    private const int MostAtOnce = 1000;

    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.Both("POST", "/delete-traces");

    public override string Action => "workspaces/experiments/runs/delete";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        RunAccess.RefuseJob(call, "delete traces");
        var request = await call.ReadAsync(ct);
        var (experimentId, ids, before, most) = (request.RequiredText("experiment_id"), request.Texts("request_ids"), request.Long("max_timestamp_millis"), request.Long("max_traces"));
        if (ids.Count > 0 == before is not null)
        {
            throw MlflowErrors.Invalid("Either `max_timestamp_millis` or `request_ids` must be specified, but not both.");
        }

        if (ids.Count > 0 && most is not null)
        {
            throw MlflowErrors.Invalid("`max_traces` can't be specified if `request_ids` is specified.");
        }

        if (most is < 1)
        {
            throw MlflowErrors.InvalidValue("max_traces", $"{most}", "it must be a positive integer.");
        }

        var left = Math.Min(most ?? int.MaxValue, int.MaxValue);
        var deleted = 0;
        while (left > 0)
        {
            var some = await database.WriteAsync(scope => Delete(scope, call, experimentId, (ids, before ?? 0, (int)Math.Min(left, MostAtOnce))), ct);
            deleted += some;
            left -= some;
            if (some == 0 || ids.Count > 0)
            {
                break;
            }
        }

        await call.WriteAsync(json => json.WriteNumber("traces_deleted", deleted), ct);
    }

    private static int Delete(WriteScope scope, MlflowCall call, string experimentId, (IReadOnlyList<string> Ids, long Before, int Most) which)
    {
        var experiment = ExperimentStore.ById(scope, call.WorkspaceKey, experimentId) ?? throw MlflowErrors.NoExperiment(experimentId);
        var count = TraceStore.Delete(scope, TraceStore.ToDelete(scope, experiment.Key, which.Ids, which.Before, which.Most));
        if (count > 0)
        {
            scope.Append(ExperimentAccess.Event(call, experiment, "traces/delete"));
        }

        return count;
    }
}

/// <summary>Says that traces belong to a run.</summary>
internal sealed class LinkTracesToRun(IDatabase database) : MlflowOperation
{
    private const int Most = 100;

    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.Both("POST", "/link-to-run");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (ids, run) = (request.Texts("trace_ids"), request.RunId());
        if (ids.Count > Most)
        {
            throw MlflowErrors.Invalid($"Cannot link more than {Most} traces to a run in a single request. Provided {ids.Count} traces.");
        }

        await database.WriteAsync(
            scope =>
            {
                var row = RunAccess.Find(scope, call, run);
                foreach (var id in ids)
                {
                    TraceStore.Link(scope, TraceAccess.Find(scope, call, id).Key, row.Id);
                }
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Says which prompts a trace used, in the tag in which MLflow keeps it.</summary>
internal sealed class LinkPromptsToTrace(TraceAccess traces) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.Both("POST", "/link-prompts");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var prompts = request.Objects("prompt_versions").Select(prompt => (Name: prompt.RequiredText("name"), Version: prompt.RequiredText("version"))).ToList();
        await traces.WriteAsync(
            call,
            request.RequiredText("trace_id"),
            (scope, trace) =>
            {
                var linked = Linked(TraceStore.Tag(scope, trace.Key, TraceKeys.LinkedPrompts));
                foreach (var (name, version) in prompts.Where(prompt => !linked.OfType<JsonObject>().Any(item => item.Text("name") == prompt.Name && item.Text("version") == prompt.Version)))
                {
                    linked.Add(new JsonObject { ["name"] = name, ["version"] = version });
                }

                TraceStore.SetTags(scope, trace.Key, [(TraceKeys.LinkedPrompts, linked.ToJsonString(ZaffreJson.Options))]);
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }

    /// <summary>The list in the tag; a client may have set it to anything, which then gives way.</summary>
    private static JsonArray Linked(string? tag)
    {
        try
        {
            return tag is null ? [] : JsonNode.Parse(tag, documentOptions: new() { AllowDuplicateProperties = false }) as JsonArray ?? [];
        }
        catch (System.Text.Json.JsonException)
        {
            return [];
        }
    }
}
