using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>Asks for the plan of a job's YAML (docs/plan.md): texts of YAML files are sent, of all other files names and digests.</summary>
internal sealed class YamlPlan(ApiClient api)
{
    private const int Rounds = 3;

    /// <summary>The plan. Local files that are missing are told all at once.</summary>
    public async Task<JsonObject> AskAsync(string file, IReadOnlyDictionary<string, JsonNode?> set, CancellationToken ct)
    {
        if (!File.Exists(file))
        {
            throw new CliException($"{file} does not exist.");
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var question = new YamlQuestion(api, folder, YamlQuestion.Request("job", Path.GetFileName(file), await File.ReadAllTextAsync(file, ct), set));
        question.Set("experiment", YamlSubmission.Experiment());
        var answer = await question.AskAsync("yaml:plan", ct);
        if (answer["contents"] is not JsonArray asked)
        {
            return answer;
        }

        var contents = await ReadAsync(asked, folder, ct);
        var texts = new List<(string Upload, string Name)>();
        for (var round = 0; round < Rounds; round++)
        {
            question.Set("contents", new JsonObject(contents.Select(pair =>
                KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value.ToJson([.. texts.Where(text => text.Upload == pair.Key).Select(text => text.Name)])))));
            answer = await question.AskAsync("yaml:plan", ct);
            if (answer["lines"] is not JsonArray { Count: > 0 } lines)
            {
                break;
            }

            texts.AddRange(lines.OfType<JsonObject>().Select(line => (line.Text("upload")!, line.Text("name")!)));
        }

        answer.Remove("lines");
        return answer;
    }

    private static async Task<Dictionary<string, LocalManifest>> ReadAsync(JsonArray asked, string folder, CancellationToken ct)
    {
        var contents = new Dictionary<string, LocalManifest>(StringComparer.Ordinal);
        var missing = new List<string>();
        foreach (var upload in asked.OfType<JsonObject>())
        {
            try
            {
                using var local = UploadContent.Read(upload, folder);
                contents[upload.Text("placeholder")!] = await LocalManifest.ReadAsync(local.Content, ct);
            }
            catch (CliException problem)
            {
                missing.Add(problem.Message);
            }
        }

        return missing.Count == 0 ? contents : throw new CliException(string.Join('\n', missing));
    }
}
