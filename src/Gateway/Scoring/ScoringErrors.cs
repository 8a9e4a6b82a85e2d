using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Zaffre.Gateway.Inference;

namespace Zaffre.Gateway.Scoring;

/// <summary>One answer of the gateway's own: status, Azure's reason code, and a message that says the remedy.</summary>
internal sealed record ScoringError(int Status, string Code, string Message)
{
    public static ScoringError NoCredential { get; } = new(401, "key_auth_bad_header_form", "Send the endpoint's key or token as 'Authorization: Bearer ...'.");

    public static ScoringError Denied { get; } = new(403, "key_auth_access_denied", "The key or token is not valid for this endpoint. Keys of other endpoints are not accepted here; access tokens are by endpoints with aad_token, when their principal holds onlineEndpoints/score/action.");

    public static ScoringError NoTraffic { get; } = new(404, "no_valid_deployment", "The endpoint has no deployment with traffic. Set the endpoint's traffic, or name a deployment in the azureml-model-deployment header.");

    public static ScoringError Timeout { get; } = new(408, "request_timeout", "The model ran longer than request_timeout_ms of its deployment.");

    public static ScoringError SlowBody { get; } = new(408, "request_body_timeout", "The request body did not arrive in time.");

    public static ScoringError TooManyPending { get; } = new(429, "too_many_pending_request", "The deployment allows 2 x max_concurrent_requests_per_instance x instance_count requests at a time; more are pending. Retry with backoff, or raise these settings.");

    public static ScoringError QueueTimeout { get; } = new(429, "too_many_pending_request", "The request waited longer than max_queue_wait_ms behind running ones. Retry with backoff, or raise instance_count.");

    public static ScoringError NobodyLives { get; } = new(503, "model_not_ready", "No scoring process of the deployment is ready. Its log says why: az ml online-deployment get-logs.");

    public static ScoringError Died { get; } = new(502, "model_process_ended", "The scoring process ended while it ran this request; it was not run again. See the deployment's log.");

    public static ScoringError NoSwagger2 { get; } = new(404, "swagger_version_not_found", "The deployment has no description in Swagger 2.0: it is made as OpenAPI 3 (version=3), unless the code folder holds swagger2.json.");

    public static ScoringError NoEndpoint(string name) => new(404, "endpoint_not_found", $"There is no online endpoint '{name}' here.");

    public static ScoringError NotOfMlflow(string route, string deployment) => new(404, "route_not_found", $"Deployment '{deployment}' runs a scoring script: '{route}' is a route of model deployments. POST to /{{endpoint}}/score.");

    public static ScoringError NoRoute(string path) => new(404, "route_not_found", $"'{path}' is not served: POST to /{{endpoint}}/score, or of model deployments to /{{endpoint}}/invocations.");

    public static ScoringError SeveralModels(IEnumerable<string> names) => new(400, "several_models", $"The deployment has several models: POST to /{{endpoint}}/v2/models/NAME/infer with one of {string.Join(", ", names)}.");

    public static ScoringError NotOnnx(string deployment) => new(404, "route_not_found", $"Deployment '{deployment}' is not scored by the gateway: the routes of the Open Inference Protocol (/v2) are those of ONNX deployments. POST to /{{endpoint}}/score.");

    public static ScoringError NoModel(string name, string? version) => new(404, "model_not_found", $"The deployment has no model '{name}'{(version is null ? "" : $" of version {version}")}; /{{endpoint}}/v2/repository/index lists those that it has.");

    public static ScoringError TooLarge(long limit) => new(413, "request_too_large", $"The request body is larger than the limit of {limit} bytes.");

    public Task WriteAsync(HttpContext context)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }

        response.StatusCode = Status;
        response.ContentType = "application/json";
        response.Headers["ms-azureml-model-error-reason"] = Code;
        response.Headers["x-ms-error-code"] = Code;
        if (Status == 401)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        if (Status is 429 or 503)
        {
            response.Headers.RetryAfter = "1";
        }

        var body = InferenceRoutes.Is(context.Request.Path)
            ? JsonSerializer.SerializeToUtf8Bytes(new InferenceErrorBody(Message), ErrorJson.Default.InferenceErrorBody)
            : JsonSerializer.SerializeToUtf8Bytes(new ErrorBody(new ErrorDetail(Code, Message)), ErrorJson.Default.ErrorBody);
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, 0, body.Length, context.RequestAborted);
    }
}

internal sealed record ErrorBody(ErrorDetail Error);

/// <summary>An error as the Open Inference Protocol has it.</summary>
internal sealed record InferenceErrorBody(string Error);

internal sealed record ErrorDetail(string Code, string Message);

[System.Text.Json.Serialization.JsonSourceGenerationOptions(PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.CamelCase)]
[System.Text.Json.Serialization.JsonSerializable(typeof(ErrorBody))]
[System.Text.Json.Serialization.JsonSerializable(typeof(InferenceErrorBody))]
internal sealed partial class ErrorJson : System.Text.Json.Serialization.JsonSerializerContext;
