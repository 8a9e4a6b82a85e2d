using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Pipelines and components as <c>az ml</c> YAML.</summary>
public sealed class PipelineYamlTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Count = """
        name: count
        version: 1
        type: command
        inputs: { number: { type: integer } }
        outputs: { next: { type: integer, is_control: true }, more: { type: boolean, is_control: true } }
        environment: { image: debian }
        command: n=$(( ${{inputs.number}} + 1 )); echo $n > ${{outputs.next}}; if [ $n -lt 3 ]; then echo true; else echo false; fi > ${{outputs.more}}
        """;

    private const string Word = """
        name: word
        version: 1
        type: command
        inputs: { word: { type: string } }
        outputs: { text: { type: uri_file } }
        environment: { image: debian }
        command: echo ${{inputs.word}} > ${{outputs.text}}
        """;

    private readonly PipelineClient pipelines = new(host);

    private Arm Arm => pipelines.Arm;

    [Fact]
    public async Task Inline_jobs_files_and_registered_components_become_one_pipeline_that_runs()
    {
        await pipelines.ComponentAsync("yaml_count", """{"command":"wc -l < ${{inputs.text}} > ${{outputs.count}}","inputs":{"text":{"type":"uri_file"}},"outputs":{"count":{"type":"uri_file"}}}""");
        var answer = (await ResolveAsync("job", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["job.yml"] = """
                $schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
                type: pipeline
                name: from-yaml-pipeline
                display_name: From YAML
                settings: { default_compute: azureml:serverless, continue_on_step_failure: false }
                inputs: { word: hello, rate: 0.50 }
                outputs: { all: { type: uri_file, mode: upload } }
                jobs:
                  last:
                    component: azureml:yaml_count@latest
                    inputs: { text: "${{parent.jobs.twice.outputs.both}}" }
                  twice:
                    type: pipeline
                    component: file:./parts/twice.yml
                    inputs: { text: { path: "${{parent.jobs.first.outputs.world}}", mode: ro_mount } }
                    outputs: { both: "${{parent.outputs.all}}" }
                  first:
                    command: echo ${{inputs.word}} ${{inputs.rate}} $X > ${{outputs.world}}
                    environment: { image: debian }
                    environment_variables: { X: x }
                    inputs: { word: "${{parent.inputs.word}}", rate: "${{parent.inputs.rate}}" }
                    outputs: { world: { type: uri_file, path: "azureml://datastores/workspaceblobstore/paths/chosen/${{name}}/w.txt" } }
                    limits: { timeout: 60 }
                """,
            ["parts/twice.yml"] = """
                type: pipeline
                inputs: { text: { type: uri_file } }
                outputs: { both: { type: uri_file } }
                jobs:
                  join:
                    component: ./join.yml
                    inputs: { a: "${{parent.inputs.text}}", b: "${{parent.inputs.text}}" }
                    outputs: { joined: "${{parent.outputs.both}}" }
                """,
            ["parts/join.yml"] = """
                $schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
                name: join
                version: 7
                type: command
                inputs: { a: { type: uri_file }, b: { type: uri_file }, note: { type: string, optional: true } }
                outputs: { joined: { type: uri_file } }
                environment: { image: debian }
                command: cat ${{inputs.a}} ${{inputs.b}} > ${{outputs.joined}} $[[; echo ${{inputs.note}}]]
                """,
        })).Ok();
        await SendAsync(answer);
        var (job, log) = await pipelines.Jobs.EndAsync("from-yaml-pipeline");
        Assert.Equal(("Completed", log), (job.At("properties.status"), log));
        Assert.Equal("From YAML", job.At("properties.displayName"));
        Assert.Equal("hello 0.5 x\nhello 0.5 x\n", await ReadAsync("azureml://jobs/from-yaml-pipeline/outputs/all"));
        Assert.Equal("hello 0.5 x\n", await ReadAsync("azureml://datastores/workspaceblobstore/paths/chosen/from-yaml-pipeline_first/w.txt"));
        Assert.Equal("2\n", await ReadAsync("azureml://jobs/from-yaml-pipeline_last/outputs/count"));
    }

    [Fact]
    public async Task Steps_that_decide_and_repeat_are_read_from_YAML()
    {
        var answer = (await ResolveAsync("job", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["job.yml"] = """
                type: pipeline
                name: control-yaml
                inputs: { flag: "true" }
                outputs: { table: { type: mltable } }
                jobs:
                  count:
                    component: ./count.yml
                    inputs: { number: 1 }
                  again:
                    type: do_while
                    body: ${{parent.jobs.count}}
                    condition: ${{parent.jobs.count.outputs.more}}
                    mapping: { "${{parent.jobs.count.outputs.next}}": "${{parent.jobs.count.inputs.number}}" }
                    limits: { max_iteration_count: 5 }
                  show:
                    command: echo ${{inputs.number}} > ${{outputs.text}}
                    environment: { image: debian }
                    inputs: { number: "${{parent.jobs.count.outputs.next}}" }
                    outputs: { text: { type: uri_file } }
                  flag:
                    command: echo ${{inputs.flag}} > ${{outputs.value}}
                    environment: { image: debian }
                    inputs: { flag: "${{parent.inputs.flag}}" }
                    outputs: { value: { type: boolean, is_control: true } }
                  choose:
                    type: if_else
                    condition: ${{parent.jobs.flag.outputs.value}}
                    true_block: [ "${{parent.jobs.each}}" ]
                    false_block: ${{parent.jobs.never}}
                  word:
                    component: ./word.yml
                  each:
                    type: parallel_for
                    body: ${{parent.jobs.word}}
                    max_concurrency: 1
                    items: [ { word: a }, { word: b } ]
                    outputs: { text: "${{parent.outputs.table}}" }
                  never:
                    component: ./word.yml
                    inputs: { word: x }
                """,
            ["count.yml"] = Count,
            ["word.yml"] = Word,
        })).Ok();
        await SendAsync(answer);
        var (job, log) = await pipelines.Jobs.EndAsync("control-yaml");
        Assert.Equal(("Completed", log), (job.At("properties.status"), log));
        Assert.Equal("3\n", await ReadAsync("azureml://jobs/control-yaml_show/outputs/text"));
        Assert.Equal("b\n", await ReadAsync("azureml://jobs/control-yaml_each_2/outputs/text"));
        Assert.Equal("Canceled", (await Arm.GetAsync("~/jobs/control-yaml_never")).Ok().At("properties.status"));
        Assert.StartsWith("type: mltable", await ReadAsync("azureml://jobs/control-yaml/outputs/table/paths/MLTable"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Steps_are_distributed_by_their_components_and_by_themselves()
    {
        var answer = (await ResolveAsync("job", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["job.yml"] = """
                type: pipeline
                name: spread
                jobs:
                  inline:
                    command: echo $RANK of $WORLD_SIZE
                    environment: { image: debian }
                    distribution: { type: pytorch, process_count_per_instance: 2 }
                  hello: { component: ./hello.yml }
                  other: { component: ./hello.yml, resources: { instance_count: 1 }, distribution: { type: tensorflow, worker_count: 3 } }
                """,
            ["hello.yml"] = """
                type: command
                command: echo $TF_CONFIG
                environment: { image: debian }
                resources: { instance_count: 2 }
                distribution: { type: tensorflow, worker_count: 2 }
                """,
        })).Ok();
        await SendAsync(answer);
        Assert.Equal("Completed", (await pipelines.Jobs.EndAsync("spread")).Job.At("properties.status"));
        Assert.Equal("1 of 2\n", await LogAsync("inline", 1));
        foreach (var (step, workers) in ((string, int)[])[("hello", 2), ("other", 3)])
        {
            var config = JsonNode.Parse(await LogAsync(step, workers - 1))!;
            Assert.Equal((workers, "worker", workers - 1), (config["cluster"]!["worker"]!.AsArray().Count, (string?)config["task"]!["type"], (int?)config["task"]!["index"]));
        }

        Task<string> LogAsync(string step, int process) => ReadAsync($"azureml://jobs/spread_{step}/outputs/artifacts/paths/user_logs/std_log_process_{process}.txt");
    }

    [Fact]
    public async Task Local_code_names_the_anonymous_component_that_holds_it()
    {
        var answer = (await ResolveAsync("job", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["job.yml"] = """
                type: pipeline
                jobs:
                  one: { component: c/a.yml }
                  two: { component: c/a.yml, inputs: { data: { type: uri_file, path: ./mine.csv } } }
                """,
            ["c/a.yml"] = """
                type: command
                inputs: { data: { type: uri_file, optional: true } }
                code: ../src
                environment: { image: debian }
                command: ls
                """,
        })).Ok();
        Assert.Equal(["./src", "./mine.csv"], answer["uploads"]!.AsArray().Select(upload => upload!["local"]!.ToString()));
        var requests = answer["requests"]!.AsArray().Select(request => request!["path"]!.ToString()[Arm.Main.Id.Value.Length..]).ToArray();
        Assert.Equal(["components", "jobs"], requests.Select(path => path.Split('/')[1]).Skip(2));
        Assert.Equivalent(new[] { "codes", "environments" }, requests.Select(path => path.Split('/')[1]).Take(2), strict: true);
        Assert.Contains("components/azureml_anonymous/versions/", requests[^2], StringComparison.Ordinal);
        Assert.Contains("-{{upload.0.hash}}?", requests[^2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_wrong_is_reported_with_its_file_and_line()
    {
        var answer = await ResolveAsync("job", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["job.yml"] = """
                type: pipeline
                comput: serverless
                settings: { default_computer: x }
                jobs:
                  a: { component: ./c.yml, environment: azureml:x:1 }
                  b: { component: azureml:none@latest }
                  c: { type: sweep, trial: {} }
                  d: { type: banana }
                  e: { environment: { image: debian } }
                  f: { command: x, environment: { image: debian }, resources: { docker_args: --gpus } }
                  g: { component: azureml://registries/azureml/components/c/versions/1 }
                """,
            ["c.yml"] = """
                command: ls
                environment: { image: debian }
                inputs: { a: { type: text } }
                outputs: { o: { type: text } }
                additional_includes: [ ../x, { type: artifact, feed: f, name: n, version: 1 } ]
                colour: blue
                """,
        });
        var places = answer.Targets().Select(target => target.Split(' ') is [var at, .. var path] ? string.Join(':', at.Split(':')[..2]) + " " + string.Concat(path) : target);
        Assert.Equal(
            [
                "c.yml:3 inputs.a.type", "c.yml:4 outputs.o.type", "c.yml:5 additional_includes[1]", "c.yml:6 colour",
                "job.yml:10 jobs.f.resources.docker_args", "job.yml:11 jobs.g.component", "job.yml:2 comput", "job.yml:3 settings.default_computer",
                "job.yml:5 jobs.a.environment", "job.yml:6 jobs.b.component", "job.yml:7 jobs.c.limits", "job.yml:7 jobs.c.objective", "job.yml:7 jobs.c.trial.command", "job.yml:7 jobs.c.trial.environment", "job.yml:7 jobs.c.type", "job.yml:8 jobs.d.type", "job.yml:9 jobs.e",
            ],
            places.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Mistakes_in_bindings_are_told_with_file_and_line_together_with_those_of_the_yaml()
    {
        var answer = await ResolveAsync("job", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["job.yml"] = """
                type: pipeline
                inputs: { raw: { type: uri_file, path: ./raw.csv }, rate: 7 }
                outputs: { model: { type: uri_folder }, unwritten: }
                colour: blue
                jobs:
                  clean:
                    command: cat ${{inputs.raw}} ${{inputs.other}} > ${{outputs.out}}
                    environment: { image: debian }
                    inputs:
                      raw: ${{parent.inputs.rwa}}
                    outputs: { out: { type: uri_file } }
                  train:
                    component: ./parts/train.yml
                    inputs:
                      table: ${{parent.jobs.clean.outputs.table}}
                      rate: ${{parent.inputs.rate}}
                      extra: 1
                    outputs:
                      model: ${{parent.outputs.modle}}
                  tune: { type: sweep, trial: ./parts/train.yml, limits: { max_total_trials: 1 }, objective: { goal: minimize, primary_metric: m }, inputs: {} }
                  last:
                    command: ls ${{inputs.m}} ${{inputs.n}}
                    environment: { image: debian }
                    inputs: { m: "${{parent.jobs.tune.outputs.model}}", n: "${{inputs.rate}}" }
                    compute: nowhere
                """,
            ["parts/train.yml"] = """
                type: command
                inputs:
                  table: { type: uri_file }
                  rate: { type: number, max: 1 }
                  note: { type: string, optional: true }
                outputs: { model: { type: uri_folder } }
                environment: { image: debian }
                command: >-
                  train ${{inputs.table}} ${{inputs.note}}
                """,
        });
        var places = answer.Targets().Select(target => target.Split(' ') is [var at, .. var path] ? string.Join(':', at.Split(':')[..2]) + " " + string.Concat(path) : target);
        Assert.Equal(
            [
                "job.yml:10 jobs.clean.inputs.raw", "job.yml:15 jobs.train.inputs.table", "job.yml:16 jobs.train.inputs.rate", "job.yml:17 jobs.train.inputs.extra", "job.yml:19 jobs.train.outputs.model",
                "job.yml:20 jobs.tune.type", "job.yml:24 jobs.last.inputs.n", "job.yml:25 jobs.last.compute", "job.yml:4 colour", "job.yml:7 jobs.clean.command", "parts/train.yml:8 command",
            ],
            places.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_component_is_created_in_its_next_version()
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["job.yml"] = """
                name: yaml_made
                display_name: Made
                type: command
                inputs: { rate: { type: number, default: 0.10, min: 0, max: 1 }, kind: { type: string, enum: [a, b] } }
                environment: { image: debian }
                command: echo ${{inputs.rate}}
                """,
        };
        await SendAsync((await ResolveAsync("component", files)).Ok());
        await SendAsync((await ResolveAsync("component", files)).Ok());
        var made = (await Arm.GetAsync("~/components/yaml_made/versions/2")).Ok();
        Assert.Equal(("0.1", "b"), (made.At("properties.componentSpec.inputs.rate.default"), made["properties"]!["componentSpec"]!["inputs"]!["kind"]!["enum"]![1]!.ToString()));
        Assert.Equal(["InvalidYaml"], (await ResolveAsync("component", new Dictionary<string, string>(StringComparer.Ordinal) { ["job.yml"] = "command: x\nenvironment: { image: debian }\n" })).Body["error"]!["code"] is { } code ? [code.ToString()] : []);
    }

    [Fact]
    public async Task Set_reaches_the_steps_and_fails_below_a_text()
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal) { ["job.yml"] = "type: pipeline\njobs:\n  a: { command: echo, environment: { image: debian }, inputs: { n: 1 } }\n" };
        var answer = (await ResolveAsync("job", files, """{"jobs.a.inputs.n":"2","jobs.a.compute":"serverless","name":"set-it"}""")).Ok();
        var put = answer["requests"]!.AsArray()[^1]!.AsObject();
        Assert.Equal(("2", $"{Arm.Main.Id}/computes/serverless"), (put.At("body.properties.jobs.a.inputs.n.value"), put.At("body.properties.jobs.a.computeId")));
        (await ResolveAsync("job", files, """{"jobs.a.command.x":"2"}""")).Fails(HttpStatusCode.BadRequest);
    }

    private Task<(HttpStatusCode Status, JsonObject Body)> ResolveAsync(string kind, Dictionary<string, string> files, string? set = null) => Arm.PostAsync(
        $"/zaffre/v1{Arm.Main.Id}/yaml:resolve",
        new JsonObject
        {
            ["kind"] = kind,
            ["file"] = "job.yml",
            ["files"] = new JsonObject(files.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            ["set"] = set is null ? null : JsonNode.Parse(set),
        }.ToJsonString());

    private async Task SendAsync(JsonObject answer)
    {
        foreach (var request in answer["requests"]!.AsArray())
        {
            (await Arm.PutAsync(request!["path"]!.ToString().Split('?')[0], request["body"]!.ToJsonString())).Ok();
        }
    }

    private Task<string> ReadAsync(string uri) => pipelines.ReadAsync(uri);
}
