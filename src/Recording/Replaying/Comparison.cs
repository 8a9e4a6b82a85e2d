using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Zaffre.Recording.Replaying;

/// <summary>Compares one answer with the recorded one, and binds the placeholders that it brings.</summary>
internal sealed class Comparison(Bindings bindings, Exchange exchange, bool isPoll)
{
    private const int Shown = 160;

    private static readonly string[] AnyValue =
    [
        "expires_on", "not_before", "timestamp", "start_time", "end_time", "creation_time", "last_update_time", "last_updated_timestamp", "expiryTimeUtc", "refreshAfterTimeUtc",
        "duration", "runNumber", "runUuid", "requestId", "request_id",
    ];

    private static readonly string[] Unfinished = ["NotStarted", "Starting", "Queued", "Preparing", "Provisioning", "Running", "Finalizing", "InProgress", "Creating", "Updating", "Deleting", "CancelRequested"];

    private readonly List<ReplayDifference> found = [];
    private bool unfinished;

    /// <summary>The differences; of an answer that the recording shows to be passing only that it is no failure.</summary>
    public IReadOnlyList<ReplayDifference> Of(Came came)
    {
        var recorded = exchange.Answer;
        if (recorded.Aborted)
        {
            return [];
        }

        if (came.Status != recorded.Status)
        {
            return isPoll && IsSuccess(came.Status) ? [] : [Difference("status", Number(recorded.Status), $"{Number(came.Status)} {Short(Encoding.UTF8.GetString(came.Body))}")];
        }

        Headers(came);
        Body(came);
        return isPoll || unfinished ? [] : found;
    }

    private static bool IsSuccess(int status) => status is >= 200 and < 300;

    private void Headers(Came came)
    {
        foreach (var (name, value) in exchange.Answer.Headers)
        {
            if (!came.Headers.TryGetValue(name, out var actual))
            {
                found.Add(Difference("headers." + name, value, "(none)"));
            }
            else if (name != "content-length" || exchange.Answer.Body is null)
            {
                Text("headers." + name, value, actual);
            }
        }
    }

    private void Body(Came came)
    {
        switch (exchange.Answer.Body)
        {
            case null when came.Body.Length > 0:
                found.Add(Difference("body", "(none)", Short(Encoding.UTF8.GetString(came.Body))));
                break;
            case { Json: { } json }:
                Json("body", json, Parse(came.Body));
                break;
            case { Text: { } text }:
                Text("body", text, Encoding.UTF8.GetString(came.Body));
                break;
            case { Sha256: { } digest } body when Convert.ToHexStringLower(SHA256.HashData(came.Body)) != digest && (came.Body.LongLength != body.Length || came.Body.AsSpan().ContainsAnyExcept((byte)0)):
                // What was sent as zeros comes back as zeros.
                found.Add(Difference("body", $"{body.Length} bytes, SHA-256 {digest}", $"{came.Body.LongLength} bytes"));
                break;
        }
    }

    private static JsonNode? Parse(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body, documentOptions: new JsonDocumentOptions { MaxDepth = 160 });
        }
        catch (JsonException)
        {
            return JsonValue.Create(Encoding.UTF8.GetString(body));
        }
    }

    private void Json(string path, JsonNode? recorded, JsonNode? came)
    {
        switch (recorded, came)
        {
            case (JsonObject first, JsonObject second):
                Members(path, first, second);
                break;
            case (JsonArray first, JsonArray second) when first.Count == second.Count:
                for (var i = 0; i < first.Count; i++)
                {
                    Json($"{path}[{i}]", first[i], second[i]);
                }

                break;
            case (JsonArray first, JsonArray second):
                found.Add(Difference(path, $"{first.Count} items", $"{second.Count} items"));
                break;
            case (JsonValue first, JsonValue second) when first.TryGetValue<string>(out var text) && second.TryGetValue<string>(out var actual):
                Text(path, text, actual);
                break;
            default:
                if (!JsonNode.DeepEquals(recorded, came))
                {
                    found.Add(Difference(path, recorded?.ToJsonString() ?? "null", came?.ToJsonString() ?? "null"));
                }

                break;
        }
    }

    private void Members(string path, JsonObject recorded, JsonObject came)
    {
        var names = recorded.ToDictionary(member => bindings.Fill(member.Key), member => member, StringComparer.Ordinal);
        foreach (var (name, member) in names)
        {
            if (!came.TryGetPropertyValue(name, out var actual))
            {
                found.Add(Difference($"{path}.{name}", member.Value?.ToJsonString() ?? "null", "(none)"));
                continue;
            }

            var state = name is "status" or "provisioningState" ? member.Value?.ToString() : null;
            unfinished |= state is not null && Unfinished.Contains(state, StringComparer.OrdinalIgnoreCase) && state != actual?.ToString();
            if (!AnyValue.Contains(name, StringComparer.Ordinal))
            {
                Json($"{path}.{name}", member.Value, actual);
            }
        }

        found.AddRange(came.Where(member => !names.ContainsKey(member.Key)).Select(member => Difference($"{path}.{member.Key}", "(none)", member.Value?.ToJsonString() ?? "null")));
    }

    private void Text(string where, string recorded, string came)
    {
        if (Template.Mismatch(recorded, came, bindings) is var at and >= 0)
        {
            var from = Math.Max(0, at - 40);
            found.Add(Difference(where, recorded, came.Length > Shown ? $"at {Number(at)}: ...{came[from..]}" : came));
        }
    }

    private ReplayDifference Difference(string where, string expected, string actual) =>
        new(exchange.Number, $"{exchange.Request.Method} {exchange.Request.Host}{exchange.Request.Target}", where, Short(expected), Short(actual));

    private static string Short(string text) => text.Length <= Shown ? text : text[..Shown] + "...";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
