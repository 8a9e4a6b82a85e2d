using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Storage;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>A client with local files (paths to texts) that plans YAML jobs, and submits them.</summary>
internal sealed class PlanClient(ZaffreHost host)
{
    public JobClient Jobs { get; } = new(host);

    public Arm Arm => Jobs.Arm;

    /// <summary>The local files.</summary>
    public Dictionary<string, string> Files { get; } = new(StringComparer.Ordinal);

    public IBlobStore Store => host.Get<IBlobStore>();

    /// <summary>The plan, with the lines that it asks for.</summary>
    public async Task<(HttpStatusCode Status, JsonObject Body)> PlanAsync(string yaml, string? name = null, HttpClient? asWhom = null)
    {
        var request = Request(yaml, name);
        for (var round = 0; round < 8; round++)
        {
            var answer = await SendAsync("yaml:plan", request, asWhom);
            if (answer.Status != HttpStatusCode.OK)
            {
                return answer;
            }

            if (answer.Body["needs"] is JsonArray needs)
            {
                Answer(request, needs);
            }
            else if (answer.Body["contents"] is JsonArray asked)
            {
                request["contents"] = new JsonObject(asked.Select(upload => KeyValuePair.Create(upload!.AsObject().At("placeholder"), (JsonNode?)Content(upload.AsObject()))));
            }
            else if (answer.Body["lines"] is JsonArray { Count: > 0 } lines)
            {
                foreach (var line in lines)
                {
                    var content = request["contents"]![line!.AsObject().At("upload")]!;
                    content["lines"] ??= new JsonObject();
                    content["lines"]![line.AsObject().At("name")] = Lines(Files.Single(file => file.Key.EndsWith("/" + line.AsObject().At("name"), StringComparison.Ordinal)).Value);
                }
            }
            else
            {
                return answer;
            }
        }

        throw new InvalidOperationException("The plan asks on and on.");
    }

    /// <summary>Uploads and sends what the YAML says.</summary>
    public async Task SubmitAsync(string yaml, string name)
    {
        var request = Request(yaml, name);
        var resolved = (await SendAsync("yaml:resolve", request, null)).Ok();
        while (resolved["needs"] is JsonArray needs)
        {
            Answer(request, needs);
            resolved = (await SendAsync("yaml:resolve", request, null)).Ok();
        }

        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var upload in resolved["uploads"]!.AsArray().Select(upload => upload!.AsObject()))
        {
            var content = Content(upload);
            var folder = $"LocalUpload/{content.At("hash")}/{content.At("name")}";
            var first = true;
            foreach (var (file, text) in LocalFiles(upload))
            {
                await WriteAsync(content["folder"]!.GetValue<bool>() ? $"{folder}/{file}" : folder, text, first);
                first = false;
            }

            texts[upload.At("placeholder")] = resolved.At("store.uri") + folder;
            texts[upload.At("hashPlaceholder")] = content.At("hash");
        }

        foreach (var put in resolved["requests"]!.AsArray().Select(put => put!.AsObject()))
        {
            string Fill(string text) => texts.OrderByDescending(pair => pair.Key.Length).Aggregate(text, (filled, pair) => filled.Replace(pair.Key, pair.Value, StringComparison.Ordinal));
            (await Arm.PutAsync(Fill(put.At("path")).Split('?')[0], Fill(put["body"]!.ToJsonString()))).Ok();
        }
    }

    /// <summary>Plans, submits, and compares every step that the plan could tell: the steps as they were planned.</summary>
    public async Task<IReadOnlyList<JsonObject>> AgreeAsync(string name, string yaml)
    {
        var plan = (await PlanAsync(yaml, name)).Ok();
        IReadOnlyList<JsonObject> planned = [.. plan["steps"]!.AsArray().Select(step => step!.AsObject())];
        await SubmitAsync(yaml, name);
        var why = await WhyAsync(name);
        foreach (var step in planned.Where(step => step.At("decision") is not "depends" && step.At("kind") == "command"))
        {
            var came = Assert.Single(why, row => row.At("step") == step.At("step"));
            var decision = step.At("decision") switch
            {
                "reuse" => "reused",
                "skip" => "none",
                var other => other,
            };
            Assert.Equal((name, step.At("step"), decision, step.At("reason"), step.At("reusedFrom")), (name, came.At("step"), came.At("decision"), came.At("reason"), came.At("reusedFrom")));
            if (decision != "none")
            {
                Assert.Equal(step.At("summary"), came.At("summary"));
            }
        }

        // What is not told yet belongs to a loop or a condition that is.
        Assert.All(why, row => Assert.Contains(planned, step => row.At("step") == step.At("step") || (step.At("decision") == "depends" && row.At("step").StartsWith(step.At("step") + "/", StringComparison.Ordinal))));
        return planned;
    }

    /// <summary>What <c>job why</c> says of each step once the job ended.</summary>
    public async Task<IReadOnlyList<JsonObject>> WhyAsync(string name)
    {
        await Jobs.EndAsync(name);
        return [.. (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/{name}/why")).Ok()["steps"]!.AsArray().Select(step => step!.AsObject())];
    }

    public async Task<BlobAddress> AddressAsync(string uri)
    {
        var place = (await host.Get<IUriResolver>().ResolveAsync(Arm.Main, uri, CancellationToken.None)).Value.Blob!;
        return new BlobAddress(place.Account, place.Container, place.Path);
    }

    public async Task<(HttpStatusCode Status, JsonObject Body)> SendAsync(string action, JsonObject request, HttpClient? asWhom)
    {
        var url = $"/zaffre/v1{Arm.Main.Id}/{action}";
        if (asWhom is null)
        {
            return await Arm.PostAsync(url, request.ToJsonString());
        }

        using var body = new StringContent(request.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await asWhom.PostAsync(new Uri(url, UriKind.Relative), body);
        return (answer.StatusCode, (JsonObject)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
    }

    public static JsonObject Request(string yaml, string? name)
    {
        var request = new JsonObject { ["kind"] = "job", ["file"] = "job.yml", ["files"] = new JsonObject { ["job.yml"] = yaml } };
        if (name is not null)
        {
            request["set"] = new JsonObject { ["name"] = name };
        }

        return request;
    }

    /// <summary>What is told of local content.</summary>
    public JsonObject Content(JsonObject upload)
    {
        var (files, local) = (LocalFiles(upload), Local(upload));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, text) in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}\0{Encoding.UTF8.GetByteCount(text)}\0{text}"));
        }

        return new JsonObject
        {
            ["name"] = local.Split('/')[^1],
            ["hash"] = Convert.ToHexStringLower(hash.GetHashAndReset()),
            ["folder"] = !Files.ContainsKey(local),
            ["files"] = new JsonArray([.. files.Select(file => new JsonObject { ["name"] = file.Name, ["sha256"] = Sha256(file.Text), ["size"] = Encoding.UTF8.GetByteCount(file.Text) })]),
        };
    }

    private static string Local(JsonObject upload) => upload.At("local").Replace("./", "", StringComparison.Ordinal);

    private IReadOnlyList<(string Name, string Text)> LocalFiles(JsonObject upload)
    {
        var local = Local(upload);
        return Files.TryGetValue(local, out var text)
            ? [(local.Split('/')[^1], text)]
            : [.. Files.Where(file => file.Key.StartsWith(local + "/", StringComparison.Ordinal)).Select(file => (file.Key[(local.Length + 1)..], file.Value)).OrderBy(file => file.Item1, StringComparer.Ordinal)];
    }

    private void Answer(JsonObject request, JsonArray needs)
    {
        foreach (var need in needs)
        {
            request["files"]![need!.AsObject().At("path")] = Files[need.AsObject().At("path").Replace("./", "", StringComparison.Ordinal)];
        }
    }

    private async Task WriteAsync(string place, string text, bool first)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var mark = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (first)
        {
            mark["upload_status"] = "completed";
        }

        var address = await AddressAsync("azureml://datastores/workspaceblobstore/paths/" + place);
        Assert.True((await Store.PutAsync(address, content, new BlobWrite { Metadata = mark }, CancellationToken.None)).TryGet(out _, out _));
    }

    private static JsonArray Lines(string text) => new([.. text.TrimEnd('\n').Split('\n').Select(line => JsonValue.Create(Sha256(line)[..16]))]);

    private static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
