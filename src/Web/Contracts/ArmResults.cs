using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>The answers of the ARM surface.</summary>
public static class ArmResults
{
    /// <summary>200 with a JSON document, and its ETag when given.</summary>
    public static IResult Ok(JsonNode? body, string? etag = null) => new JsonAnswer(StatusCodes.Status200OK, body, etag);

    /// <summary>Any success status with a JSON document.</summary>
    public static IResult Json(int status, JsonNode? body, string? etag = null) => new JsonAnswer(status, body, etag);

    /// <summary>201 with a JSON document.</summary>
    public static IResult Created(JsonNode body, string? etag = null) => new JsonAnswer(StatusCodes.Status201Created, body, etag);

    /// <summary>
    /// The start of a long-running operation: <paramref name="status"/> with the resource in its present state, <c>Azure-AsyncOperation</c>,
    /// <c>Location</c> when there is no body (202), and <c>Retry-After: 1</c>.
    /// </summary>
    public static IResult Started(HttpContext context, int status, JsonNode? body, Operation operation)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(operation);
        var url = context.PublicUrls().Base(context) + operation.StatusPath;
        context.Response.Headers["Azure-AsyncOperation"] = url;
        if (status == StatusCodes.Status202Accepted)
        {
            context.Response.Headers.Location = url.Replace("/mfeOperationsStatus/", "/mfeOperationResults/", StringComparison.Ordinal);
        }

        context.Response.Headers.RetryAfter = "1";
        return new JsonAnswer(status, body, null);
    }

    /// <summary>204.</summary>
    public static IResult NoContent() => Results.NoContent();

    /// <summary>A page of a list; <paramref name="next"/> becomes an absolute <c>nextLink</c> that carries it in <c>$skip</c> with the query otherwise unchanged.</summary>
    public static IResult Page(HttpContext context, IEnumerable<JsonNode> items, string? next)
    {
        ArgumentNullException.ThrowIfNull(context);
        var body = new JsonObject { ["value"] = new JsonArray([.. items]) };
        if (next is not null)
        {
            var query = context.Request.Query
                .Where(pair => !pair.Key.Equals("$skip", StringComparison.OrdinalIgnoreCase))
                .SelectMany(pair => pair.Value, (pair, value) => $"{pair.Key}={Uri.EscapeDataString(value ?? "")}")
                .Append("$skip=" + Uri.EscapeDataString(next));
            body["nextLink"] = $"{context.PublicUrls().Base(context)}{context.Request.Path.ToUriComponent()}?{string.Join('&', query)}";
        }

        return new JsonAnswer(StatusCodes.Status200OK, body, null);
    }

    /// <summary>The error shape of ARM, with the status of the problem's kind.</summary>
    public static IResult Problem(Problem problem) => new ProblemAnswer(problem);

    /// <summary>The value through <paramref name="render"/>, or the problem.</summary>
    public static IResult From<T>(Outcome<T> outcome, Func<T, IResult> render)
    {
        ArgumentNullException.ThrowIfNull(render);
        return outcome.TryGet(out var value, out var problem) ? render(value) : Problem(problem);
    }

    /// <summary>The HTTP status of a kind of problem.</summary>
    public static int StatusOf(ProblemKind kind) => kind switch
    {
        ProblemKind.Invalid or ProblemKind.Unsupported => StatusCodes.Status400BadRequest,
        ProblemKind.Unauthenticated => StatusCodes.Status401Unauthorized,
        ProblemKind.Forbidden => StatusCodes.Status403Forbidden,
        ProblemKind.NotFound => StatusCodes.Status404NotFound,
        ProblemKind.Conflict => StatusCodes.Status409Conflict,
        ProblemKind.PreconditionFailed => StatusCodes.Status412PreconditionFailed,

        // A full disk too: it will fail again, and clients send again what is answered with any 5xx.
        ProblemKind.TooLarge or ProblemKind.InsufficientStorage => StatusCodes.Status413PayloadTooLarge,
        ProblemKind.Throttled => StatusCodes.Status429TooManyRequests,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>The error body of ARM.</summary>
    public static JsonObject ErrorBody(Problem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        return new JsonObject { ["error"] = Error(problem) };
    }

    private static JsonObject Error(Problem problem) => new()
    {
        ["code"] = problem.Code,
        ["message"] = problem.Message,
        ["target"] = problem.Target,
        ["details"] = new JsonArray([.. problem.Details.Select(Error)]),
    };

    private sealed class JsonAnswer(int status, JsonNode? body, string? etag) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            if (etag is not null)
            {
                httpContext.Response.Headers.ETag = etag;
            }

            return body is null ? Task.CompletedTask : JsonBody.WriteAsync(httpContext.Response, body, httpContext.RequestAborted);
        }
    }

    private sealed class ProblemAnswer(Problem problem) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = StatusOf(problem.Kind);
            httpContext.Response.Headers["x-ms-error-code"] = problem.Code;
            if (problem.Kind == ProblemKind.Unauthenticated)
            {
                httpContext.Response.Headers.WWWAuthenticate = "Bearer";
            }

            return JsonBody.WriteAsync(httpContext.Response, ErrorBody(problem), httpContext.RequestAborted);
        }
    }
}
