using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Traces;

namespace Zaffre.Tracking.Mlflow.Features.Traces;

/// <summary>
/// OTLP over HTTP: spans of any OpenTelemetry exporter, in protobuf or JSON, plain or compressed. Bounded: at most 64 MB after
/// decompression, 50,000 spans of a request and 100,000 of a trace; what is too many is reported as OTLP wants it, as rejected.
/// </summary>
internal sealed class IngestSpans(IDatabase database, LargeBodies large) : MlflowOperation
{
    private const string Header = "x-mlflow-experiment-id";
    private const string Protobuf = "application/x-protobuf";
    private const int Limit = 64 * 1024 * 1024;
    private const int SpansPerUnit = 500;
    private const int MaxDepth = 128;

    public override IReadOnlyList<string> Routes { get; } = ["POST /v1/traces"];

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var experiment = call.Http.Request.Headers[Header].ToString();
        if (experiment.Length == 0)
        {
            throw MlflowErrors.Invalid($"The header {Header} is missing: it names the experiment that the spans belong to.");
        }

        var json = call.Http.Request.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) == true;
        using var body = large.Begin(ct);
        var spans = Read(await BodyAsync(call.Http, body), json);
        var rejected = 0;
        foreach (var trace in spans.GroupBy(span => span.Trace, StringComparer.Ordinal))
        {
            foreach (var some in trace.OrderBy(span => span.Start).Chunk(SpansPerUnit))
            {
                rejected += await database.WriteAsync(scope => Store(scope, call, experiment, (trace.Key, some)), ct);
            }
        }

        await AnswerAsync(call.Http, json, rejected, ct);
    }

    private static int Store(WriteScope scope, MlflowCall call, string experiment, (string Id, IReadOnlyList<SpanRow> Spans) trace)
    {
        var root = trace.Spans.FirstOrDefault(span => span.Parent is null);
        var known = TraceStore.Find(scope, call.WorkspaceKey, TraceAccess.CheckId(trace.Id));
        if (known is null || (root is not null && known.State == (long)TraceState.InProgress))
        {
            var row = new TraceRow
            {
                Id = trace.Id,
                Experiment = known?.Experiment ?? TraceAccess.Experiment(scope, call, experiment).Key,
                Time = (root?.Start ?? known?.Time * 1_000_000 ?? trace.Spans[0].Start) / 1_000_000,
                Duration = root is { End: > 0 } ? Math.Max(root.End - root.Start, 0) / 1_000_000 : null,
                State = (long)(root is not { End: > 0 } ? TraceState.InProgress : root.Status == "ERROR" ? TraceState.Error : TraceState.Ok),
            };
            known = TraceAccess.Put(scope, call, row, root is null ? [] : [(TraceKeys.Name, root.Name)], []);
        }
        else
        {
            TraceAccess.Find(scope, call, trace.Id);
        }

        TraceStore.SetTags(scope, known.Key, [(TraceKeys.SpansLocation, TraceKeys.InStore)]);
        return TraceStore.PutSpans(scope, known.Key, trace.Spans);
    }

    private static List<SpanRow> Read(ReadOnlyMemory<byte> body, bool json)
    {
        try
        {
            return [.. (json ? OtlpJson.Read(Parse(body)) : OtlpReader.Read(body.Span)).Select(SpanDocuments.Row)];
        }
        catch (ProtobufException exception)
        {
            throw MlflowErrors.BadRequest($"Malformed OTLP request: {exception.Message}.");
        }
    }

    private static JsonObject Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonText.Fault(body.Span, MaxDepth) is { } fault
                ? throw MlflowErrors.BadRequest($"Malformed OTLP request: {fault}")
                : JsonNode.Parse(body.Span, documentOptions: new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false }) as JsonObject ?? throw MlflowErrors.BadRequest("Malformed OTLP request: it must be a JSON object.");
        }
        catch (JsonException exception)
        {
            throw MlflowErrors.BadRequest($"Malformed OTLP request: {exception.Message}");
        }
    }

    private static async Task<ReadOnlyMemory<byte>> BodyAsync(HttpContext http, LargeBody body)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = Limit;
        }

        await using var content = http.Request.Headers.ContentEncoding.ToString().ToLowerInvariant() switch
        {
            "" or "identity" => http.Request.Body,
            "gzip" => new GZipStream(http.Request.Body, CompressionMode.Decompress),
            "deflate" => new ZLibStream(http.Request.Body, CompressionMode.Decompress),
            { } other => throw MlflowErrors.BadRequest($"Unsupported Content-Encoding '{other}': use gzip, deflate or none."),
        };
        var buffer = new MemoryStream();
        var chunk = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await content.ReadAsync(chunk, body.Token)) > 0)
            {
                await body.HoldsAsync(buffer.Length + read);
                buffer.Write(chunk, 0, read);
                if (buffer.Length > Limit)
                {
                    throw MlflowErrors.Invalid($"The spans of one request take at most {Limit} bytes.");
                }
            }

            body.Complete();
        }
        catch (OperationCanceledException) when (body.IsLate)
        {
            throw MlflowErrors.BadRequest($"The spans did not come within {LargeBodies.Patience.TotalSeconds} seconds.");
        }
        catch (InvalidDataException)
        {
            throw MlflowErrors.BadRequest("Malformed OTLP request: the body is not compressed as it says.");
        }

        return buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
    }

    /// <summary><c>ExportTraceServiceResponse</c>: empty, or with <c>partial_success</c> (field 1: rejected spans, field 2: why).</summary>
    private static async Task AnswerAsync(HttpContext http, bool json, int rejected, CancellationToken ct)
    {
        var why = $"A trace keeps at most {TraceStore.MostSpans} spans.";
        if (json)
        {
            var answer = rejected == 0 ? new JsonObject() : new JsonObject { ["partialSuccess"] = new JsonObject { ["rejectedSpans"] = rejected, ["errorMessage"] = why } };
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(answer.ToJsonString(ZaffreJson.Options), ct);
            return;
        }

        http.Response.ContentType = Protobuf;
        if (rejected > 0)
        {
            var text = System.Text.Encoding.ASCII.GetBytes(why);
            var inner = new List<byte> { 0x08 };
            for (var left = (uint)rejected; ; left >>= 7)
            {
                inner.Add((byte)(left < 0x80 ? left : (left & 0x7f) | 0x80));
                if (left < 0x80)
                {
                    break;
                }
            }

            inner.AddRange([0x12, (byte)text.Length, .. text]);
            await http.Response.Body.WriteAsync(new byte[] { 0x0a, (byte)inner.Count }.Concat(inner).ToArray(), ct);
        }
    }
}
