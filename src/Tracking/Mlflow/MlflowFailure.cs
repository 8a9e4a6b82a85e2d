using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;

namespace Zaffre.Tracking.Mlflow;

/// <summary>An error in MLflow's shape: <c>error_code</c> and <c>message</c>.</summary>
internal sealed class MlflowFailure(MlflowException error) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var body = new JsonObject { ["error_code"] = error.Code, ["message"] = error.Message };
        httpContext.Response.StatusCode = error.Status;
        httpContext.Response.ContentType = "application/json";
        if (error.Status == StatusCodes.Status401Unauthorized)
        {
            httpContext.Response.Headers.WWWAuthenticate = "Bearer";
        }

        return httpContext.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(body, ZaffreJson.Options), httpContext.RequestAborted).AsTask();
    }
}
