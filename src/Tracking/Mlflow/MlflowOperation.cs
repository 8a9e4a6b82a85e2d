using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow.Features;
using Zaffre.Web;

namespace Zaffre.Tracking.Mlflow;

/// <summary>One operation of the MLflow API, served at every mount. Instances are singletons.</summary>
internal abstract class MlflowOperation
{
    /// <summary>Method and path (<c>POST /api/2.0/mlflow/runs/create</c>), more than one where the same operation has several names.</summary>
    public abstract IReadOnlyList<string> Routes { get; }

    /// <summary>The role action, without the provider's namespace.</summary>
    public abstract string Action { get; }

    public abstract Task HandleAsync(MlflowCall call, CancellationToken ct);
}

/// <summary>Maps the operations at every mount, and answers failures in MLflow's shape.</summary>
internal static class MlflowRoutes
{
    /// <summary>Names one of MLflow's own workspaces (3.10); the probe of <c>server-info</c> says that there are none, and stays reachable.</summary>
    private const string WorkspaceHeader = "X-MLFLOW-WORKSPACE";

    private const string Workspace =
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.MachineLearningServices/workspaces/{workspaceName}";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var operations = endpoints.ServiceProvider.GetServices<MlflowOperation>().ToList();
        foreach (var mount in MlflowMount.All)
        {
            foreach (var operation in operations)
            {
                // The UI's prefix is served on the plain mount only.
                foreach (var route in operation.Routes.Where(route => !mount.InPath || !route.Contains(" /ajax-api/", StringComparison.Ordinal)))
                {
                    Map(endpoints, mount, operation, route);
                }
            }
        }
    }

    private static void Map(IEndpointRouteBuilder endpoints, MlflowMount mount, MlflowOperation operation, string route)
    {
        var space = route.IndexOf(' ', StringComparison.Ordinal);
        var (methods, path) = (route[..space], route[(space + 1)..]);
        var pattern = mount.Prefix + (mount.InPath ? Workspace : "") + path;
        var endpoint = methods == "*"
            ? endpoints.Map(pattern, context => RunAsync(context, mount, operation))
            : endpoints.MapMethods(pattern, methods.Split('|'), context => RunAsync(context, mount, operation));
        endpoint.Requires(operation.Action).WithMetadata(mount);
    }

    private static async Task RunAsync(HttpContext context, MlflowMount mount, MlflowOperation operation)
    {
        var ct = context.RequestAborted;
        try
        {
            if (context.Request.Headers[WorkspaceHeader].Any(name => !string.IsNullOrWhiteSpace(name)) && operation is not GetServerInfo)
            {
                throw MlflowErrors.NoWorkspaces();
            }

            var workspace = mount.WorkspaceOf(context);
            if (mount.InPath && !await context.RequestServices.GetRequiredService<IScopes>().ExistsAsync(workspace.Id, ct))
            {
                throw MlflowErrors.NotFound($"Workspace '{workspace.Id}' was not found.");
            }

            var key = await context.RequestServices.GetRequiredService<WorkspaceKeys>().EnsureAsync(workspace, ct);
            await operation.HandleAsync(new MlflowCall(context, mount, key), ct);
        }
        catch (MlflowException error)
        {
            await FailAsync(context, error);
        }
        catch (ProblemException exception)
        {
            await FailAsync(context, MlflowErrors.From(exception.Problem));
        }
        catch (BadHttpRequestException exception)
        {
            await FailAsync(context, new MlflowException(exception.StatusCode, "BAD_REQUEST", exception.Message));
        }
        catch (Exception exception) when (!ct.IsCancellationRequested && !context.Response.HasStarted)
        {
            TrackingLog.OperationFailed(context.RequestServices.GetRequiredService<ILogger<MlflowOperation>>(), exception, context.Request.Path);
            await FailAsync(context, new MlflowException(StatusCodes.Status500InternalServerError, "INTERNAL_ERROR", $"Something went wrong inside the server; request {context.TraceIdentifier} in its log says what."));
        }
    }

    private static Task FailAsync(HttpContext context, MlflowException error)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }

        return new MlflowFailure(error).ExecuteAsync(context);
    }
}
