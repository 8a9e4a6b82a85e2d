using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>What a path or method that no route serves is answered: it names itself, in the protocol's own shape.</summary>
internal static class UnknownRoute
{
    public static async Task AnswerAsync(HttpContext context)
    {
        if (context.Response.HasStarted || context.GetEndpoint() is RouteEndpoint || context.Response.StatusCode is not (StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed or StatusCodes.Status415UnsupportedMediaType))
        {
            return;
        }

        var path = context.Request.Path.Value ?? "/";
        if (path.Contains("/mlflow/", StringComparison.OrdinalIgnoreCase) && path.Contains("/api/", StringComparison.OrdinalIgnoreCase))
        {
            await JsonBody.WriteAsync(context.Response, new System.Text.Json.Nodes.JsonObject { ["error_code"] = "ENDPOINT_NOT_FOUND", ["message"] = $"Zaffre does not serve {context.Request.Method} {path}." }, context.RequestAborted);
            return;
        }

        var known = path.Contains($"/providers/{Routes.Provider}/", StringComparison.OrdinalIgnoreCase);
        var problem = known
            ? ArmErrors.Unsupported($"{context.Request.Method} {path}")
            : new Problem(ProblemKind.NotFound, "NotFound", $"There is nothing at {context.Request.Method} {path}.");
        context.Response.StatusCode = known ? StatusCodes.Status400BadRequest : context.Response.StatusCode;
        context.Response.Headers["x-ms-error-code"] = problem.Code;
        await JsonBody.WriteAsync(context.Response, ArmResults.ErrorBody(problem), context.RequestAborted);
    }
}
