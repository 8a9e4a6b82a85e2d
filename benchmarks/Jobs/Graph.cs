using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Jobs;

/// <summary>A graph of steps that run <c>true</c>, each with a file as its output: a chain, or steps without an edge.</summary>
internal sealed record Graph(string Name, int Steps, bool Chain)
{
    /// <summary>The components that the steps are made of.</summary>
    public static async Task RegisterAsync(JobClient client)
    {
        foreach (var (name, inputs) in new[] { ("bench_first", "{}"), ("bench_next", """{"before":{"type":"uri_file"}}""") })
        {
            var component = $$"""{"name":"{{name}}","version":"1","type":"command","command":"true","environment":"azureml:{{client.EnvironmentId}}","inputs":{{inputs}},"outputs":{"made":{"type":"uri_file"} } }""";
            await client.PutAsync($"components/{name}/versions/1", "{\"properties\":{\"componentSpec\":" + component + "}}");
        }
    }

    /// <summary>The pipeline as REST body; with <paramref name="again"/> every step is to run, whatever ran before.</summary>
    public string Pipeline(string workspace, bool again)
    {
        var jobs = new JsonObject();
        for (var step = 0; step < Steps; step++)
        {
            var follows = Chain && step > 0;
            jobs[NameOf(step)] = new JsonObject
            {
                ["name"] = NameOf(step),
                ["type"] = "command",
                ["componentId"] = $"{workspace}/components/{(follows ? "bench_next" : "bench_first")}/versions/1",
                ["inputs"] = follows ? new JsonObject { ["before"] = new JsonObject { ["job_input_type"] = "literal", ["value"] = $"${{{{parent.jobs.{NameOf(step - 1)}.outputs.made}}}}" } } : [],
            };
        }

        var properties = new JsonObject
        {
            ["jobType"] = "Pipeline",
            ["experimentName"] = "bench",
            ["settings"] = new JsonObject { ["default_compute"] = "serverless", ["force_rerun"] = again },
            ["jobs"] = jobs,
        };
        return new JsonObject { ["properties"] = properties }.ToJsonString();
    }

    public string Snakefile()
    {
        var text = new StringBuilder($"rule all:\n    input: {string.Join(", ", Ends().Select(step => $"\"{NameOf(step)}\""))}\n");
        for (var step = 0; step < Steps; step++)
        {
            var input = Chain && step > 0 ? $"    input: \"{NameOf(step - 1)}\"\n" : "";
            text.Append(CultureInfo.InvariantCulture, $"rule r{step}:\n{input}    output: \"{NameOf(step)}\"\n    shell: \"true > {{output}}\"\n");
        }

        return text.ToString();
    }

    public string Makefile()
    {
        var text = new StringBuilder($"all: {string.Join(' ', Ends().Select(NameOf))}\n");
        for (var step = 0; step < Steps; step++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{NameOf(step)}:{(Chain && step > 0 ? " " + NameOf(step - 1) : "")}\n\t@true > $@\n");
        }

        return text.ToString();
    }

    private IEnumerable<int> Ends() => Chain ? [Steps - 1] : Enumerable.Range(0, Steps);

    /// <summary>The name of a step in the pipeline.</summary>
    public static string NameOf(int step) => string.Create(CultureInfo.InvariantCulture, $"s{step:000}");
}
