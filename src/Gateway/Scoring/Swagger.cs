using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Gateway.Workers;

namespace Zaffre.Gateway.Scoring;

/// <summary>The description of an endpoint: what the runtime of its deployment made of its schema or signature, else one POST of any JSON.</summary>
internal static class Swagger
{
    public static Task WriteAsync(HttpContext context, string endpoint, DeploymentPool? pool)
    {
        var description = pool?.Description;
        var own = description?.Swagger;
        if (context.Request.Query["version"] is [{ } version] && version.StartsWith('2'))
        {
            own = description?.Swagger2;
            if (own is null)
            {
                return ScoringError.NoSwagger2.WriteAsync(context);
            }
        }

        context.Response.ContentType = "application/json";
        var text = own is { } found ? found.GetRawText() : OfAnything(endpoint).ToJsonString();
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    private static JsonObject OfAnything(string endpoint)
    {
        JsonObject Answer(string text) => new() { ["description"] = text };
        JsonObject any = new() { ["application/json"] = new JsonObject { ["schema"] = new JsonObject() } };
        return new JsonObject
        {
            ["openapi"] = "3.0.3",
            ["info"] = new JsonObject { ["title"] = endpoint, ["version"] = "1" },
            ["paths"] = new JsonObject
            {
                [$"/{endpoint}/score"] = new JsonObject
                {
                    ["post"] = new JsonObject
                    {
                        ["operationId"] = "score",
                        ["security"] = new JsonArray(new JsonObject { ["bearer"] = new JsonArray() }),
                        ["requestBody"] = new JsonObject { ["content"] = any.DeepClone() },
                        ["responses"] = new JsonObject
                        {
                            ["200"] = new JsonObject { ["description"] = "What run() returned", ["content"] = any.DeepClone() },
                            ["408"] = Answer("The model ran too long"),
                            ["424"] = Answer("The model failed; see ms-azureml-model-error-statuscode"),
                            ["429"] = Answer("Too many pending requests"),
                        },
                    },
                },
            },
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject { ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" } },
            },
        };
    }
}
