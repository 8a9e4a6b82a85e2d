using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>
/// Run history's artifacts of a run, as Azure's MLflow plugin calls them: it asks for signed URLs, and moves the bytes with the
/// blob client.
/// </summary>
internal static class ArtifactRoutes
{
    private const string Reading = "workspaces/experiments/runs/read";
    private const string Writing = "workspaces/experiments/runs/write";

    /// <summary>Answers for a run of the experiment that the route names.</summary>
    internal delegate Task<IResult> Answer(HttpContext context, RunRow run, CancellationToken ct);

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapWorkspace("/history/v1.0");
        foreach (var experiments in new[] { "experiments", "experimentids" })
        {
            var root = $"/{experiments}/{{experiment}}/runs/{{id}}/artifacts";
            group.MapPost(root + "/batch/metadata", Artifacts((answers, http, container, ct) => answers.MakeAsync(http, container, ct))).Requires(Writing);
            group.MapGet(root, Artifacts((answers, http, container, ct) => answers.ListAsync(http, container, ct))).Requires(Reading);
            group.MapGet(root + "/path", Artifacts((answers, http, container, ct) => answers.ListAsync(http, container, ct))).Requires(Reading);
            group.MapGet(root + "/contentinfo", Artifacts((answers, http, container, ct) => answers.ContentAsync(http, container, signed: true, ct))).Requires(Reading);
            group.MapGet(root + "/artifacturi", Artifacts((answers, http, container, ct) => answers.ContentAsync(http, container, signed: false, ct))).Requires(Reading);
            group.MapGet(root + "/prefix/contentinfo", Artifacts((answers, http, container, ct) => answers.PrefixAsync(http, container, signed: true, ct))).Requires(Reading);
        }
    }

    /// <summary>Finds the run first.</summary>
    internal static RequestDelegate Of(Answer answer) => Guarded(async (context, workspace, ct) =>
    {
        var (experiment, id) = ((string)context.Request.RouteValues["experiment"]!, (string)context.Request.RouteValues["id"]!);
        var key = await context.RequestServices.GetRequiredService<WorkspaceKeys>().EnsureAsync(workspace, ct);
        var run = await context.RequestServices.GetRequiredService<IDatabase>().ReadAsync(connection => RunStore.Find(connection, key, id), ct);
        return run is null || (experiment != run.ExperimentId && experiment != run.ExperimentName)
            ? ArmResults.Problem(new Problem(ProblemKind.NotFound, "UserError", $"Run {id} was not found in experiment '{experiment}'."))
            : await answer(context, run, ct);
    });

    /// <summary>The errors of MLflow's rules come in run history's form.</summary>
    internal static RequestDelegate Guarded(Func<HttpContext, WorkspaceRef, CancellationToken, Task<IResult>> answer) => async context =>
    {
        IResult result;
        try
        {
            result = await answer(context, (await WorkspaceRef.BindAsync(context))!, context.RequestAborted);
        }
        catch (MlflowException error)
        {
            var kind = error.Status switch
            {
                StatusCodes.Status403Forbidden => ProblemKind.Forbidden,
                StatusCodes.Status404NotFound => ProblemKind.NotFound,
                _ => ProblemKind.Invalid,
            };
            result = ArmResults.Problem(new Problem(kind, "UserError", error.Message));
        }
        catch (ProblemException exception)
        {
            result = ArmResults.Problem(exception.Problem);
        }

        await result.ExecuteAsync(context);
    };

    private static RequestDelegate Artifacts(Func<ArtifactAnswers, HttpContext, ArtifactContainer, CancellationToken, Task<IResult>> answer) => Of(async (context, run, ct) =>
    {
        var container = await context.RequestServices.GetRequiredService<ArtifactContainers>().OfRunAsync((await WorkspaceRef.BindAsync(context))!, run, ct);
        return await answer(context.RequestServices.GetRequiredService<ArtifactAnswers>(), context, container, ct);
    });
}
