using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>A question about a YAML file to the server, with the files that it asks for in turn. Paths are relative to <paramref name="folder"/>.</summary>
internal sealed class YamlQuestion(ApiClient api, string folder, JsonObject request)
{
    private const int Rounds = 16;

    /// <summary>The request for a YAML text under the name of its file.</summary>
    public static JsonObject Request(string kind, string name, string yaml, IReadOnlyDictionary<string, JsonNode?> set) => new()
    {
        ["kind"] = kind,
        ["file"] = name,
        ["files"] = new JsonObject { [name] = yaml },
        ["set"] = new JsonObject(set.Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone()))),
    };

    /// <summary>The answer once every file is there that it takes.</summary>
    public async Task<JsonObject> AskAsync(string action, CancellationToken ct)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var answer = await api.SendAsync(HttpMethod.Post, $"/zaffre/v1{api.WorkspacePath}/{action}", (JsonObject)request.DeepClone(), ct);
            if (answer["needs"] is not JsonArray { Count: > 0 } needs)
            {
                return answer;
            }

            foreach (var need in needs.OfType<JsonObject>())
            {
                var path = need.Text("path")!;
                var full = Path.Combine(folder, path);
                request["files"]![path] = File.Exists(full) ? await File.ReadAllTextAsync(full, ct) : throw new CliException($"{need.Text("at")}: {path} does not exist.");
            }
        }

        throw new CliException($"{request.Text("file")} names files that name files, more than {Rounds} deep.");
    }

    /// <summary>Adds to the request.</summary>
    public void Set(string member, JsonNode value) => request[member] = value;
}
