using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Forecast;

/// <summary>Tells a forecast as the answer of <c>yaml:plan</c> (docs/plan.md).</summary>
internal sealed class ForecastAnswer(IAssets assets, IBlobStore blobs, IEnvironmentForecasts environments)
{
    private const string Whole = "upload_status";

    public async Task<JsonObject> OfAsync(YamlReading reading, IReadOnlyDictionary<string, LocalContent> contents, Forecasted forecast, CancellationToken ct)
    {
        var uploads = await UploadsAsync(reading, contents, forecast, ct);
        var listed = await AssetsAsync(reading, forecast, ct);
        var steps = forecast.Tree.Steps.Where(step => step.IsTold).ToArray();
        var worlds = await EnvironmentsAsync(reading, steps, ct);
        var totals = Totals(listed, uploads, steps);
        return new JsonObject
        {
            ["job"] = new JsonObject
            {
                ["name"] = reading.Root.Has("name") ? reading.Result!.Value.Name : null,
                ["type"] = forecast.Coming.Requests[^1].Body["properties"]!.AsObject().Text("jobType")!.ToLowerInvariant(),
                ["action"] = forecast.IsUpdate ? "update" : "create",
            },
            ["assets"] = listed,
            ["uploads"] = uploads,
            ["environments"] = worlds,
            ["computes"] = new JsonArray([.. forecast.Known.UsedComputes.DistinctBy(compute => compute.Id).Select(compute => new JsonObject { ["name"] = compute.Name, ["type"] = compute.ComputeType, ["size"] = compute.Size, ["action"] = "exists" })]),
            ["steps"] = new JsonArray([.. steps.Select(Step)]),
            ["totals"] = totals,
            ["changes"] = forecast.IsUpdate || totals.Any(total => total.Key is "create" or "upload" or "run" or "depends" or "fail" && total.Value!.GetValue<long>() > 0),
            ["problems"] = Problems(worlds, steps),
            ["lines"] = new JsonArray([.. forecast.Tree.View.Wanted.Select(wanted => new JsonObject { ["upload"] = wanted.Placeholder, ["name"] = wanted.File })]),
        };
    }

    private async Task<JsonArray> UploadsAsync(YamlReading reading, IReadOnlyDictionary<string, LocalContent> contents, Forecasted forecast, CancellationToken ct)
    {
        var rows = new JsonArray();
        foreach (var upload in reading.Uploads)
        {
            var content = contents[upload.Text("placeholder")!];
            var place = ComingAssets.AddressOf(content, forecast.Store);
            var first = await blobs.FindAsync(content.First.Length == 0 ? place : place.Child(content.First), ct);
            var there = first is not null && first.Metadata.TryGetValue(Whole, out var status) && status == "completed";
            rows.Add(new JsonObject
            {
                ["local"] = upload.Text("local"),
                ["at"] = upload.Text("at"),
                ["files"] = content.Digest.Files,
                ["bytes"] = content.Digest.Bytes,
                ["action"] = there ? "exists" : "upload",
                ["place"] = content.Folder,
            });
        }

        return rows;
    }

    private async Task<JsonArray> AssetsAsync(YamlReading reading, Forecasted forecast, CancellationToken ct)
    {
        var rows = new JsonArray();
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (var request in forecast.Coming.Requests.SkipLast(1).Where(request => told.Add(request.Id.Key)))
        {
            var found = (await assets.FindSameAsync(reading.Workspace, request.Id, request.Body.Object("properties")!, ct)).Value;
            var row = Asset(TypeOf(request.Id), (request.Id.Parent.Name, request.Id.Name), found is null ? "create" : "exists", found is null ? null : $"{found.Name}:{found.Version}");
            row["usedBy"] = UsedBy(forecast, request.Id);
            rows.Add(row);
        }

        foreach (var version in forecast.Known.Used.Where(version => told.Add(version.Id.Key)))
        {
            var row = Asset(version.Type.ToString().ToLowerInvariant(), (version.Name, version.Version), "exists", null);
            row["usedBy"] = UsedBy(forecast, version.Id);
            rows.Add(row);
        }

        await RegisteredAsync(reading, forecast, rows, ct);
        return rows;
    }

    /// <summary>The versions that named outputs become when their steps end.</summary>
    private async Task RegisteredAsync(YamlReading reading, Forecasted forecast, JsonArray rows, CancellationToken ct)
    {
        var named = forecast.Tree.Steps.Where(step => step.Fate is not (Fate.Skip or Fate.Fail)).Select(step => step.Plan);
        if (!forecast.IsUpdate)
        {
            named = named.Append(forecast.Root!);
        }

        foreach (var output in named.SelectMany(plan => plan.Outputs.Values).Where(output => output.AssetName is not null).DistinctBy(output => (output.AssetName, output.AssetVersion)))
        {
            var type = JobTypes.IsModel(output.Type) ? AssetType.Model : AssetType.Data;
            var version = output.AssetVersion ?? await assets.NextVersionAsync(reading.Workspace, type, output.AssetName!, ct);
            rows.Add(Asset(type.ToString().ToLowerInvariant(), (output.AssetName!, version), "register", null));
        }
    }

    /// <summary>The steps that are of the component, run in the environment, or have the code that would be uploaded under this name.</summary>
    private static JsonArray UsedBy(Forecasted forecast, ArmId version) => new([.. forecast.Tree.Steps
        .Where(step => step.Step.Document.Text("componentId") is { } component && new ArmId(component) == version
            || (step.Plan.Environment.Length > 0 && new ArmId(step.Plan.Environment) == version)
            || (step.Plan.Code is { } code && code.Name.StartsWith($"LocalUpload/{version.Parent.Name}/", StringComparison.Ordinal)))
        .Select(step => JsonValue.Create(step.Way))]);

    private static JsonObject Asset(string type, (string Name, string Version) version, string action, string? same)
    {
        var row = new JsonObject { ["type"] = type, ["name"] = version.Name, ["version"] = version.Version, ["action"] = action };
        if (same is not null)
        {
            row["sameContentAs"] = same;
        }

        return row;
    }

    private static string TypeOf(ArmId version) => version.Value.Split('/')[^4] switch
    {
        "codes" => "code",
        "components" => "component",
        "environments" => "environment",
        "models" => "model",
        var other => other,
    };

    private async Task<JsonArray> EnvironmentsAsync(YamlReading reading, IReadOnlyList<ForecastStep> steps, CancellationToken ct)
    {
        var rows = new JsonArray();
        foreach (var group in steps.Where(step => step.Kind == JobKind.Command && step.Fate is Fate.Run or Fate.Depends && step.Plan.Environment.Length > 0).GroupBy(step => (step.Plan.Environment, step.Plan.Compute)))
        {
            var (id, compute) = (new ArmId(group.Key.Environment), new ArmId(group.Key.Compute));
            var request = new EnvironmentRequest { Document = group.First().Plan.EnvironmentDocument, Workspace = reading.Workspace, Compute = compute.Name };
            var forecast = await environments.ForeseeAsync(request, ct);
            rows.Add(new JsonObject
            {
                ["name"] = id.Parent.Name,
                ["version"] = id.Name,
                ["compute"] = compute.Name,
                ["state"] = forecast.State,
                ["detail"] = forecast.Detail,
                ["key"] = forecast.Key,
                ["missing"] = new JsonArray([.. forecast.Missing.Select(package => JsonValue.Create(package))]),
            });
        }

        return rows;
    }

    private static JsonObject Step(ForecastStep step)
    {
        var word = step.Kind == JobKind.Loop ? "loop" : step.Kind == JobKind.Condition ? "condition" : "command";
        var component = step.Step.Document.Text("componentId");
        var row = new JsonObject
        {
            ["step"] = step.Way,
            ["kind"] = word,
            ["decision"] = step.Fate.ToString().ToLowerInvariant(),
            ["reason"] = step.Reason?.ToString(),
            ["summary"] = step.Summary,
            ["dependsOn"] = new JsonArray([.. step.DependsOn.Select(label => JsonValue.Create(label))]),
            ["comparedWith"] = step.Compared is { } compared ? new ArmId(compared).Name : null,
            ["reusedFrom"] = step.Fate == Fate.Reuse ? new ArmId(step.Compared!).Name : null,
            ["component"] = component is null ? null : $"{new ArmId(component).Parent.Name}:{new ArmId(component).Name}",
            ["compute"] = step.Plan.Compute.Length > 0 ? new ArmId(step.Plan.Compute).Name : null,
            ["environment"] = step.Plan.Environment.Length > 0 ? $"{new ArmId(step.Plan.Environment).Parent.Name}:{new ArmId(step.Plan.Environment).Name}" : null,
            ["differences"] = new JsonArray([.. step.Differences.Select(difference => new JsonObject { ["what"] = difference.What, ["name"] = difference.Name, ["text"] = difference.Text })]),
        };
        return row;
    }

    private static JsonObject Totals(JsonArray assets, JsonArray uploads, IReadOnlyList<ForecastStep> steps)
    {
        static long Count(JsonArray rows, string action) => rows.Count(row => (row as JsonObject)?.Text("action") == action);
        long Of(Fate fate) => steps.Count(step => step.Fate == fate);
        var upload = uploads.Where(row => (row as JsonObject)?.Text("action") == "upload").ToArray();
        return new JsonObject
        {
            ["create"] = Count(assets, "create"),
            ["exists"] = Count(assets, "exists"),
            ["upload"] = (long)upload.Length,
            ["uploadFiles"] = upload.Sum(row => row!["files"]!.GetValue<long>()),
            ["uploadBytes"] = upload.Sum(row => row!["bytes"]!.GetValue<long>()),
            ["run"] = Of(Fate.Run),
            ["reuse"] = Of(Fate.Reuse),
            ["depends"] = Of(Fate.Depends),
            ["skip"] = Of(Fate.Skip),
            ["fail"] = Of(Fate.Fail),
        };
    }

    /// <summary>What the job would be accepted with, and would end badly of.</summary>
    private static JsonArray Problems(JsonArray environments, IReadOnlyList<ForecastStep> steps)
    {
        var problems = environments.OfType<JsonObject>().Where(row => row.Text("state") == "failed").Select(row => $"The environment {row.Text("name")}:{row.Text("version")} cannot be made real: {row.Text("detail")}.");
        problems = problems.Concat(steps.Where(step => step.Fate == Fate.Fail).Select(step => $"The step '{step.Way}' {step.Summary}."));
        return new JsonArray([.. problems.Select(text => JsonValue.Create(text))]);
    }
}
