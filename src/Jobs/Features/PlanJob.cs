using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Assets;
using Zaffre.Jobs.Forecast;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Features;

/// <summary>
/// POST <c>/zaffre/v1{W}/yaml:plan</c>: what creating the job of a YAML file would upload, create, run and reuse, and why. Nothing is stored: no row, no file, no
/// event. Takes the right to submit jobs. The protocol is docs/plan.md.
/// </summary>
internal static class PlanJob
{
    public static void Map(IEndpointRouteBuilder workspace) => workspace.MapPost("yaml:plan", HandleAsync).Requires("workspaces/jobs/write");

    private static async Task<IResult> HandleAsync(WorkspaceRef workspace, HttpContext context, JobForecasts forecasts, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var problem) || !(await forecasts.OfAsync(workspace, body, context.Caller(), ct)).TryGet(out var answer, out problem))
        {
            return ArmResults.Problem(problem);
        }

        return ArmResults.Ok(answer);
    }
}

/// <summary>Answers plans: asks for files and contents until everything is there.</summary>
internal sealed class JobForecasts(IYamlReader reader, IContentDigests digests, SubmissionForecast forecasts, ForecastAnswer answers)
{
    private const string Job = "job";

    public async Task<Outcome<JsonObject>> OfAsync(WorkspaceRef workspace, JsonObject request, Caller caller, CancellationToken ct)
    {
        if (request["kind"] is { } kind && kind.Text() != Job)
        {
            return ArmErrors.Invalid($"'kind' must be '{Job}': other kinds are not planned.", "kind");
        }

        request["kind"] = Job;
        if (request["experiment"] is { } given && (given.GetValueKind() != JsonValueKind.String || given.Text()!.Length == 0))
        {
            return ArmErrors.Invalid("'experiment' must be the name of the experiment of a job that names none.", "experiment");
        }

        if (!(await reader.ReadAsync(workspace, request, caller, ct)).TryGet(out var reading, out var problem))
        {
            return problem;
        }

        if (reading.Incomplete)
        {
            return reading.NeedsAnswer();
        }

        var placeholders = reading.Uploads.Select(upload => upload.Text("placeholder")!).ToHashSet(StringComparer.Ordinal);
        if (!LocalContentReader.Read(request["contents"], placeholders, digests).TryGet(out var contents, out problem))
        {
            return problem;
        }

        var missing = reading.Uploads.Where(upload => !contents.ContainsKey(upload.Text("placeholder")!)).ToArray();
        if (missing.Length > 0)
        {
            return new JsonObject { ["contents"] = new JsonArray([.. missing.Select(upload => upload.DeepClone())]) };
        }

        return (await forecasts.MakeAsync(reading, contents, request.Text("experiment"), ct)).TryGet(out var forecast, out problem) ? await answers.OfAsync(reading, contents, forecast, ct) : problem;
    }
}
