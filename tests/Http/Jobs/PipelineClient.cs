using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Storage;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Makes components and submits pipelines of them.</summary>
internal sealed class PipelineClient(ZaffreHost host)
{
    public JobClient Jobs { get; } = new(host);

    public Arm Arm => Jobs.Arm;

    /// <summary>A component of the given members; a command component unless they say otherwise.</summary>
    public async Task<string> ComponentAsync(string name, string spec)
    {
        (await Arm.PutAsync("~/environments/plain/versions/1", """{"properties":{"image":"debian"}}""")).Ok();
        var all = new JsonObject { ["name"] = name, ["type"] = "command" };
        foreach (var (member, value) in JsonNode.Parse(spec)!.AsObject())
        {
            all[member] = value?.DeepClone();
        }

        if (all["type"]!.ToString() == "command")
        {
            all["environment"] ??= $"azureml:{Arm.Main.Id}/environments/plain/versions/1";
        }

        (await Arm.PutAsync($"~/components/{name}/versions/1", new JsonObject { ["properties"] = new JsonObject { ["componentSpec"] = all } }.ToJsonString())).Ok();
        return $"{Arm.Main.Id}/components/{name}/versions/1";
    }

    /// <summary>A pipeline of the given properties; <c>@name</c> as a componentId stands for version 1 of that component.</summary>
    public async Task<(HttpStatusCode Status, JsonObject Body)> PutAsync(string name, string properties)
    {
        var all = new JsonObject { ["jobType"] = "Pipeline" };
        foreach (var (member, value) in JsonNode.Parse(properties)!.AsObject())
        {
            all[member] = value?.DeepClone();
        }

        Name(all);
        return await Arm.PutAsync("~/jobs/" + name, new JsonObject { ["properties"] = all }.ToJsonString());
    }

    private void Name(JsonObject map)
    {
        if (map["componentId"]?.ToString() is ['@', .. var component])
        {
            map["componentId"] = $"{Arm.Main.Id}/components/{component}/versions/1";
        }

        foreach (var below in map.Select(pair => pair.Value).OfType<JsonObject>())
        {
            Name(below);
        }
    }

    /// <summary>The steps of a pipeline: name in the pipeline to status, as its child runs and their jobs say.</summary>
    public async Task<Dictionary<string, string>> StepsAsync(string name)
    {
        var children = (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/{name}/children")).Ok()["value"]!.AsArray();
        var steps = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var child in children)
        {
            var job = (await Arm.GetAsync("~/jobs/" + child!["runId"])).Ok();
            Assert.Equal(child["status"]!.ToString(), job.At("properties.status"));
            Assert.Equal(name, child["parentRunId"]!.ToString());
            steps[job.At("properties.displayName")!] = job.At("properties.status")!;
        }

        return steps;
    }

    /// <summary>Writes a text to a URI.</summary>
    public async Task WriteAsync(string uri, string text)
    {
        var place = (await host.Get<IUriResolver>().ResolveAsync(Arm.Main, uri, CancellationToken.None)).Value.Blob!;
        using var content = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
        Assert.True((await host.Get<IBlobStore>().PutAsync(new BlobAddress(place.Account, place.Container, place.Path), content, new BlobWrite(), CancellationToken.None)).TryGet(out _, out _));
    }

    /// <summary>Deletes the file that lies at a URI.</summary>
    public async Task DeleteAsync(string uri)
    {
        var place = (await host.Get<IUriResolver>().ResolveAsync(Arm.Main, uri, CancellationToken.None)).Value.Blob!;
        Assert.True(await host.Get<IBlobStore>().DeleteAsync(new BlobAddress(place.Account, place.Container, place.Path), CancellationToken.None));
    }

    /// <summary>The text that lies at a URI.</summary>
    public async Task<string> ReadAsync(string uri)
    {
        var place = (await host.Get<IUriResolver>().ResolveAsync(Arm.Main, uri, CancellationToken.None)).Value.Blob!;
        await using var stream = await host.Get<IBlobStore>().OpenReadAsync(new BlobAddress(place.Account, place.Container, place.Path), CancellationToken.None);
        using var reader = new StreamReader(stream!);
        return await reader.ReadToEndAsync();
    }
}
