using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>
/// Records a model that was saved among the run's artifacts (MLflow 2): appends to the tag <c>mlflow.log-model.history</c>. The same document again, after a
/// lost answer for example, is the same model: each has an id of its own.
/// </summary>
internal sealed class LogModel(RunAccess runs) : MlflowOperation
{
    private const int LongestHistory = 1_000_000;
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/log-model");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (id, model) = (request.RunId(), Model(request.RequiredText("model_json")));
        await runs.WriteAsync(
            call,
            id,
            (scope, run) =>
            {
                var history = History(RunData.Tag(scope, run.Key, MlflowTags.LoggedModels));
                if (history.Any(one => JsonNode.DeepEquals(one, model)))
                {
                    return;
                }

                history.Add(model.DeepClone());
                var text = history.ToJsonString(ZaffreJson.Options);
                RunData.SetTags(scope, run, [(MlflowTags.LoggedModels, text.Length <= LongestHistory ? text : throw MlflowErrors.Invalid($"The models logged on run {run.Id} take more than {LongestHistory} characters."))]);
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }

    private static JsonObject Model(string json)
    {
        try
        {
            var model = JsonNode.Parse(json, documentOptions: Strict) as JsonObject ?? throw MlflowErrors.Invalid("Malformed model info: it must be a JSON object.");
            return model.ContainsKey("artifact_path") && model.ContainsKey("flavors")
                ? model
                : throw MlflowErrors.Invalid("Model json is missing mandatory fields: it needs artifact_path and flavors.");
        }
        catch (JsonException)
        {
            throw MlflowErrors.Invalid("Malformed model info: it is not valid JSON.");
        }
    }

    /// <summary>The list in the tag; a client may have set it to anything, which then gives way.</summary>
    private static JsonArray History(string? tag)
    {
        try
        {
            return tag is null ? [] : JsonNode.Parse(tag, documentOptions: Strict) as JsonArray ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
