using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Gateway.Onnx;
using Zaffre.Gateway.Scoring;
using Zaffre.Gateway.Workers;

namespace Zaffre.Gateway.Inference;

/// <summary>
/// The Open Inference Protocol, version 2, over HTTP, below <c>/{endpoint}/v2</c>: what the models are, whether they are there, and inference with JSON
/// or binary tensors. Also Triton's <c>repository/index</c>.
/// </summary>
internal static class InferenceRoutes
{
    private const string Prefix = "v2";

    public static bool Has(ReadOnlySpan<char> route) => route.StartsWith(Prefix, StringComparison.Ordinal) && (route.Length == Prefix.Length || route[Prefix.Length] == '/');

    /// <summary>The path is one of the protocol's, whose errors have a form of their own.</summary>
    public static bool Is(PathString path) => path.Value is { } text && text.IndexOf('/', 1) is > 0 and var slash && Has(text.AsSpan(slash + 1));

    /// <summary>Answers a route of the protocol; inference goes on through <paramref name="score"/>.</summary>
    public static Task HandleAsync(HttpContext context, DeploymentPool? pool, string route, Func<DeploymentPool, OnnxCall, Task> score)
    {
        if (pool is null)
        {
            return ScoringError.NoTraffic.WriteAsync(context);
        }

        if (pool.Onnx is not { } models)
        {
            return ScoringError.NotOnnx(pool.Route.Name).WriteAsync(context);
        }

        var parts = route.Split('/');
        var post = HttpMethods.IsPost(context.Request.Method);
        return parts[1..] switch
        {
            [] => WriteAsync(context, Server()),
            ["health", "live"] => WriteAsync(context, new JsonObject()),
            ["health", "ready"] => models.Current is null ? ScoringError.NobodyLives.WriteAsync(context) : WriteAsync(context, new JsonObject()),
            ["repository", "index"] => WriteAsync(context, Index(models.Current)),
            ["models", var name, "versions", var version, "infer"] when post => score(pool, new InferCall(context.Request, name, version)),
            ["models", var name, "infer"] when post => score(pool, new InferCall(context.Request, name, null)),
            ["models", var name, "versions", var version] => DescribeAsync(context, models.Current, (name, version), ready: false),
            ["models", var name, "versions", var version, "ready"] => DescribeAsync(context, models.Current, (name, version), ready: true),
            ["models", var name] => DescribeAsync(context, models.Current, (name, null), ready: false),
            ["models", var name, "ready"] => DescribeAsync(context, models.Current, (name, null), ready: true),
            _ => ScoringError.NoRoute(context.Request.Path.Value ?? "/").WriteAsync(context),
        };
    }

    private static Task DescribeAsync(HttpContext context, OnnxServing? serving, (string Name, string? Version) id, bool ready) => serving switch
    {
        null => ScoringError.NobodyLives.WriteAsync(context),
        _ when serving.Find(id.Name, id.Version) is not { } model => ScoringError.NoModel(id.Name, id.Version).WriteAsync(context),
        _ when ready => WriteAsync(context, new JsonObject()),
        _ => WriteAsync(context, Describe(serving, serving.Find(id.Name, id.Version)!)),
    };

    private static JsonObject Server() => new()
    {
        ["name"] = "zaffre",
        ["version"] = typeof(InferenceRoutes).Assembly.GetName().Version?.ToString(3),
        ["extensions"] = new JsonArray("binary_tensor_data", "model_repository"),
    };

    private static JsonObject Describe(OnnxServing serving, OnnxModel model) => new()
    {
        ["name"] = model.Name,
        ["versions"] = new JsonArray([.. serving.VersionsOf(model.Name).Select(v => JsonValue.Create(v))]),
        ["platform"] = "onnxruntime_onnx",
        ["inputs"] = Tensors(model.Inputs),
        ["outputs"] = Tensors(model.Outputs),
    };

    // Sequences and maps have no form in the protocol.
    private static JsonArray Tensors(IEnumerable<ValueSpec> values) => new([.. values.Where(v => v.Kind == ValueKind.Tensor).Select(v => new JsonObject
    {
        ["name"] = v.Name,
        ["datatype"] = v.Type.Protocol(),
        ["shape"] = new JsonArray([.. v.Shape.Select(s => JsonValue.Create(s))]),
    })]);

    private static JsonArray Index(OnnxServing? serving) => new([.. (serving?.Models ?? []).Select(m => new JsonObject
    {
        ["name"] = m.Name,
        ["version"] = m.Version,
        ["state"] = "READY",
        ["reason"] = "",
    })]);

    private static Task WriteAsync(HttpContext context, JsonNode answer)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(answer.ToJsonString(), context.RequestAborted);
    }
}
