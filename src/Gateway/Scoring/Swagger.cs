using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Zaffre.Gateway.Scoring;

/// <summary>The description that every endpoint has: one POST of any JSON. Generated from nothing but the endpoint's name.</summary>
internal static class Swagger
{
    public static Task WriteAsync(HttpContext context, string endpoint)
    {
        JsonObject Answer(string text) => new() { ["description"] = text };
        JsonObject any = new() { ["application/json"] = new JsonObject { ["schema"] = new JsonObject() } };
        var document = new JsonObject
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
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(document.ToJsonString(), context.RequestAborted);
    }
}
