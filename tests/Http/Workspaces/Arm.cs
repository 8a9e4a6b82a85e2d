using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Identity;
using Zaffre.Tests.Http.Identity;
using Zaffre.Web;

namespace Zaffre.Tests.Http.Workspaces;

/// <summary>Requests of the owner against workspace <c>main</c>, answered as status and JSON.</summary>
internal sealed class Arm(ZaffreHost host)
{
    private string? token;

    public WorkspaceRef Main => new(host.Get<LocalOwner>().SubscriptionId, "zaffre", "main");

    public string Group => $"/subscriptions/{Main.SubscriptionId}/resourceGroups/zaffre";

    public Task<(HttpStatusCode Status, JsonObject Body)> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<(HttpStatusCode Status, JsonObject Body)> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path);

    public Task<(HttpStatusCode Status, JsonObject Body)> PutAsync(string path, string body) => SendAsync(HttpMethod.Put, path, body);

    public Task<(HttpStatusCode Status, JsonObject Body)> PostAsync(string path, string? body = null) => SendAsync(HttpMethod.Post, path, body);

    /// <summary>A path that begins with '~' is below workspace main.</summary>
    public async Task<(HttpStatusCode Status, JsonObject Body)> SendAsync(HttpMethod method, string path, string? body = null, string? asHost = null)
    {
        token ??= await Tokens.OwnerAsync(host);
        using var client = host.With(token);
        var url = path.Replace("~", Main.Id.Value, StringComparison.Ordinal);
        using var request = new HttpRequestMessage(method, new Uri(url + (url.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "api-version=2022-10-01", UriKind.RelativeOrAbsolute));
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        request.Headers.Host = asHost;
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, text.Length == 0 ? [] : (JsonObject)JsonNode.Parse(text)!);
    }
}

internal static class ArmAnswers
{
    public static JsonObject Ok(this (HttpStatusCode Status, JsonObject Body) answer)
    {
        Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.Created, $"{answer.Status}: {answer.Body.ToJsonString()}");
        return answer.Body;
    }

    /// <summary>The error's code, after its status was checked.</summary>
    public static string Fails(this (HttpStatusCode Status, JsonObject Body) answer, HttpStatusCode status)
    {
        Assert.True(answer.Status == status, $"{answer.Status}: {answer.Body.ToJsonString()}");
        return answer.Body["error"]!["code"]!.GetValue<string>();
    }

    /// <summary>The targets of every problem of a 400.</summary>
    public static string[] Targets(this (HttpStatusCode Status, JsonObject Body) answer)
    {
        answer.Fails(HttpStatusCode.BadRequest);
        var error = answer.Body["error"]!;
        var details = error["details"]!.AsArray();
        return details.Count == 0 ? [error["target"]!.GetValue<string>()] : [.. details.Select(d => d!["target"]!.GetValue<string>())];
    }

    public static string At(this JsonObject body, string path)
    {
        JsonNode? node = body;
        foreach (var part in path.Split('.'))
        {
            node = node?[part];
        }

        return node?.ToString() ?? "";
    }

    public static string[] Names(this JsonObject page) => [.. page["value"]!.AsArray().Select(v => v!["name"]!.GetValue<string>())];
}
