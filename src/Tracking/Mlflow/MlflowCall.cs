using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Zaffre.Web;

namespace Zaffre.Tracking.Mlflow;

/// <summary>One call of the MLflow API: where it came in, on which workspace, by whom.</summary>
internal sealed class MlflowCall(HttpContext http, MlflowMount mount, long workspaceKey)
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public HttpContext Http => http;

    public WorkspaceRef Workspace { get; } = mount.WorkspaceOf(http);

    public long WorkspaceKey => workspaceKey;

    public Caller Caller { get; } = http.Caller();

    public ArtifactUris Uris => field ??= mount.ArtifactUris(http, Workspace);

    public Task<MlflowRequest> ReadAsync(CancellationToken ct) => MlflowRequest.ReadAsync(http.Request, ct);

    /// <summary>Answers 200 with the members that <paramref name="write"/> writes into one object. It is sent, in one piece with its headers, when the operation ends.</summary>
    public Task WriteAsync(Action<Utf8JsonWriter> write, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        http.Response.ContentType = "application/json";
        using var writer = new Utf8JsonWriter(http.Response.BodyWriter, Writing);
        writer.WriteStartObject();
        write(writer);
        writer.WriteEndObject();
        return Task.CompletedTask;
    }

    /// <summary>As <see cref="WriteAsync"/>, for answers that are sent while they are made.</summary>
    public async Task StreamAsync(Func<Utf8JsonWriter, Task> write, CancellationToken ct)
    {
        http.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(http.Response.BodyWriter, Writing);
        writer.WriteStartObject();
        await write(writer);
        writer.WriteEndObject();
    }

    /// <summary>Answers 200 with an empty object.</summary>
    public Task WriteEmptyAsync(CancellationToken ct)
    {
        http.Response.ContentLength = 2;
        return WriteAsync(_ => { }, ct);
    }
}
