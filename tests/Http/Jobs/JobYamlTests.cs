using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Command jobs as <c>az ml</c> YAML.</summary>
public sealed class JobYamlTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    [Fact]
    public async Task A_command_job_becomes_its_requests_and_uploads()
    {
        var answer = (await ResolveAsync("""
            $schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
            name: from-yaml
            command: |
              python train.py --lr ${{inputs.lr}}
              echo done
            code: ./src
            environment:
              image: ubuntu
            inputs:
              lr: 0.10
              flag: true
              data: { type: uri_file, path: ./data.csv, mode: download }
            outputs:
              model: { type: custom_model, name: my-model, mode: upload }
              plain:
            compute: azureml:cpu-cluster
            limits: { timeout: 90 }
            queue_settings: { priority: high }
            environment_variables: { A: 1 }
            tags: { k: v }
            """)).Ok();
        Assert.Equal(["./src", "./data.csv"], answer["uploads"]!.AsArray().Select(u => "./" + u!["local"]!.ToString().Replace("./", "", StringComparison.Ordinal)));
        var put = answer["requests"]!.AsArray()[^1]!.AsObject();
        Assert.StartsWith($"{arm.Main.Id}/jobs/from-yaml?", put.At("path"), StringComparison.Ordinal);
        Assert.Equal("python train.py --lr ${{inputs.lr}}\necho done\n", put.At("body.properties.command"));
        Assert.Equal($"{arm.Main.Id}/computes/cpu-cluster", put.At("body.properties.computeId"));
        // As the client writes it: str() of what YAML 1.1 reads.
        Assert.Equal(("literal", "0.1"), (put.At("body.properties.inputs.lr.jobInputType"), put.At("body.properties.inputs.lr.value")));
        Assert.Equal("True", put.At("body.properties.inputs.flag.value"));
        Assert.Equal(("uri_file", "Download"), (put.At("body.properties.inputs.data.jobInputType"), put.At("body.properties.inputs.data.mode")));
        Assert.Equal(("custom_model", "my-model", "Upload"), (put.At("body.properties.outputs.model.jobOutputType"), put.At("body.properties.outputs.model.assetName"), put.At("body.properties.outputs.model.mode")));
        Assert.Equal("uri_folder", put.At("body.properties.outputs.plain.jobOutputType"));
        Assert.Equal(("PT1M30S", "3"), (put.At("body.properties.limits.timeout"), put.At("body.properties.queueSettings.priority")));
        Assert.Equal(("1", "v"), (put.At("body.properties.environmentVariables.A"), put.At("body.properties.tags.k")));
    }

    [Fact]
    public async Task Everything_wrong_is_reported_with_its_place()
    {
        var targets = (await ResolveAsync("""
            environment: { image: ubuntu }
            comand: echo
            compute: local
            distribution: { type: ray, port: 6379 }
            services: { nb: { type: jupyter_lab } }
            identity: { type: nobody }
            limits: { timeout: -1 }
            inputs: { a: { type: folder, path: ./x }, b: }
            outputs: { o: { path: ./local } }
            resources: { instance_count: 1, docker_args: --gpus }
            """)).Targets();
        foreach (var path in (string[])["comand", "compute", "distribution.type", "services.nb", "identity.type", "limits.timeout", "inputs.a.type", "inputs.b", "outputs.o.path", "resources.docker_args"])
        {
            Assert.Contains(targets, target => target.EndsWith(" " + path, StringComparison.Ordinal));
        }

        Assert.Contains(targets, target => !target.Contains(' ', StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{ type: pytorch, process_count_per_instance: 2 }", """{"distributionType":"PyTorch","processCountPerInstance":2}""")]
    [InlineData("{ type: mpi }", """{"distributionType":"Mpi"}""")]
    [InlineData("{ type: TensorFlow, worker_count: 3, parameter_server_count: 1 }", """{"distributionType":"TensorFlow","parameterServerCount":1,"workerCount":3}""")]
    public async Task A_distribution_is_read_as_az_writes_it(string yaml, string expected)
    {
        var answer = (await ResolveAsync($"command: ls\nenvironment: {{ image: debian }}\nresources: {{ instance_count: 3 }}\ndistribution: {yaml}\n")).Ok();
        var properties = answer["requests"]!.AsArray()[^1]!["body"]!["properties"]!;
        Assert.Equal((expected, "3"), (properties["distribution"]!.ToJsonString(), properties["resources"]!["instanceCount"]!.ToString()));
    }

    [Theory]
    [InlineData("type: spark\nentry: {}\n", "spark")]
    [InlineData("trial: { command: x }\nsearch_space: {}\n", "sweep")]
    [InlineData("type: automl\ntask: regression\n", "automl")]
    public async Task Other_types_are_refused_by_name(string yaml, string type)
    {
        var answer = await ResolveAsync(yaml);
        answer.Fails(HttpStatusCode.BadRequest);
        Assert.Contains($"Jobs of type {type} are not supported yet", answer.Body.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_server_will_refuse_is_told_before_anything_is_sent_with_line_and_column()
    {
        var answer = await ResolveAsync("""
            name: "no name"
            command: |
              cat ${{inputs.table}} ${{inputs.tabel}}
              $[[ --rate ${{inputs.rate}} ]]
            environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
            inputs:
              table: { type: uri_file, path: "azureml://datastores/nowhere/paths/a.csv" }
              rate: 1
              seen: { type: uri_folder, path: ./t, mode: eval_mount }
              model: { type: triton_model, path: ./m, mode: download }
            outputs:
              model: { type: uri_folder, path: "azureml://datastores/workspaceblobstore/paths/${{nome}}/" }
            compute: azureml:nowhere
            """);
        Assert.Equal(
            ["job.yml:12:36 outputs.model.path", "job.yml:13:10 compute", "job.yml:1:7 name", "job.yml:2:10 command", "job.yml:7:34 inputs.table.path", "job.yml:9:46 inputs.seen.mode"],
            answer.Targets().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Refused_types_are_checked_first()
    {
        var targets = (await ResolveAsync("""
            type: automl
            task: classification
            target_column_name: y
            training_data: { type: mltable, path: ./t }
            limits: { max_trials: many }
            primary_metrc: accuracy
            """)).Targets();
        Assert.Equal(["job.yml:5:23 limits.max_trials", "job.yml:6:1 primary_metrc", "job.yml:1:7 type"], targets);
        Assert.Equal(["job.yml:2:7 task", "job.yml:1:7 type"], (await ResolveAsync("type: automl\ntask: guess\n")).Targets());
        Assert.Contains("no type of job", (await ResolveAsync("type: banana\n")).Body.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Identities_are_checked_and_services_are_checked_and_then_refused_by_name()
    {
        var targets = (await ResolveAsync("""
            command: ls
            environment: { image: debian }
            identity: { type: managed, client: x }
            services:
              nb: { type: jupyter_lab, port: text }
              ssh: { type: ssh, ssh_public_keys: x }
            """)).Targets();
        Assert.Equal(["job.yml:3:28 identity.client", "job.yml:5:34 services.nb.port", "job.yml:5:7 services.nb", "job.yml:6:8 services.ssh"], targets);
    }

    private Task<(HttpStatusCode Status, JsonObject Body)> ResolveAsync(string yaml) => arm.PostAsync(
        $"/zaffre/v1{arm.Main.Id}/yaml:resolve",
        new JsonObject { ["kind"] = "job", ["file"] = "job.yml", ["files"] = new JsonObject { ["job.yml"] = yaml } }.ToJsonString());
}
