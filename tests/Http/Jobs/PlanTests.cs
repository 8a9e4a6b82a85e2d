using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dapper;
using Zaffre.Database;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>What a job's YAML would come to, told before it is submitted, and that submitting it comes to the same.</summary>
public sealed class PlanTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Pipeline = """
        type: pipeline
        experiment_name: EXP
        inputs: {word: first}
        settings: {force_rerun: false}
        jobs:
          clean:
            command: sh clean.sh ${{inputs.data}} ${{inputs.word}} > ${{outputs.out}}/word.txt
            code: ./src
            environment: {image: debian}
            inputs:
              data: {type: uri_file, path: ./data.csv}
              word: ${{parent.inputs.word}}
            outputs:
              out: {type: uri_folder}
          count:
            component: ./count.yml
            inputs: {data: "${{parent.jobs.clean.outputs.out}}"}
          dice:
            component: ./dice.yml
          inner:
            component: ./inner.yml
            inputs: {data: "${{parent.jobs.count.outputs.out}}"}
        """;

    private const string Count = """
        type: command
        command: wc -c < ${{inputs.data}}/word.txt > ${{outputs.out}}/count.txt
        environment: {image: debian}
        inputs: {data: {type: uri_folder}}
        outputs: {out: {type: uri_folder}}
        """;

    private const string Dice = """
        type: command
        is_deterministic: false
        command: echo 6 > ${{outputs.out}}
        environment: {image: debian}
        outputs: {out: {type: uri_file}}
        """;

    private const string Inner = """
        type: pipeline
        inputs: {data: {type: uri_folder}}
        outputs: {out: {type: uri_folder}}
        jobs:
          copy:
            command: cp ${{inputs.data}}/count.txt ${{outputs.out}}/copy.txt
            environment: {image: debian}
            inputs: {data: "${{parent.inputs.data}}"}
            outputs: {out: "${{parent.outputs.out}}"}
        """;

    private static readonly string[] OfOthers = ["/zaffre.db", "/warm/", "/trash/", "/events/seals"];

    private readonly PlanClient client = new(host);

    private Arm Arm => client.Arm;

    [Fact]
    public async Task A_plan_says_of_every_step_what_the_submission_does()
    {
        Local();
        var yaml = Pipeline.Replace("EXP", "agree", StringComparison.Ordinal);
        Assert.Equal(["run FirstRun", "depends", "run NotDeterministic", "depends"], await AgreeAsync("agree-1", yaml));
        Assert.Equal(["reuse Reused", "reuse Reused", "run NotDeterministic", "reuse Reused"], await AgreeAsync("agree-2", yaml));

        client.Files["src/clean.sh"] = "# one\ncat $1; echo $2 2\n# end\n";
        var code = await AgreeAsync("agree-3", yaml);
        Assert.Equal(["run Changed", "depends", "run NotDeterministic", "depends"], code);
        Assert.Equal("runs: `clean.sh` changed: line 2", planned[0].At("summary"));
        Assert.Equal("depends on clean.outputs.out", planned[1].At("summary"));

        client.Files["data.csv"] = "other\n";
        Assert.Equal("run Changed", (await AgreeAsync("agree-4", yaml))[0]);
        Assert.Equal("runs: input data changed: 1 file differs: the file", planned[0].At("summary"));

        // Back to what was first: every step is reused from the first run.
        Local();
        await AgreeAsync("agree-5", yaml);
        Assert.Equal(("agree-1_clean", "agree-1_inner_copy"), (planned[0].At("reusedFrom"), planned[3].At("reusedFrom")));

        await client.Store.DeleteFolderAsync(await client.AddressAsync("azureml://jobs/agree-1_count/outputs/out"), CancellationToken.None);
        Assert.Equal(["reuse Reused", "run OutputGone", "run NotDeterministic", "depends"], await AgreeAsync("agree-6", yaml));

        Assert.Equal(["run Forced", "run Forced", "run NotDeterministic", "run Forced"], await AgreeAsync("agree-7", yaml.Replace("force_rerun: false", "force_rerun: true", StringComparison.Ordinal)));
        Assert.Equal("run Changed", (await AgreeAsync("agree-8", yaml.Replace("word: first", "word: second", StringComparison.Ordinal)))[0]);
        Assert.Equal("runs: input word changed: first -> second", planned[0].At("summary"));
        client.Files["count.yml"] = Count.Replace("wc -c", "wc -l", StringComparison.Ordinal);
        await AgreeAsync("agree-9", yaml);
        Assert.StartsWith("runs: command changed", planned[1].At("summary"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Assets_uploads_environments_and_totals_are_told()
    {
        Local();
        foreach (var (name, text) in client.Files.ToArray())
        {
            client.Files[name] = text.Replace("image: debian", "image: debian_assets", StringComparison.Ordinal);
        }

        var yaml = Pipeline.Replace("EXP", "assets", StringComparison.Ordinal).Replace("image: debian", "image: debian_assets", StringComparison.Ordinal);
        client.Files["src/more.sh"] = "echo\n";
        var first = (await client.PlanAsync(yaml)).Ok();
        Assert.Null(first["job"]!["name"]);
        Assert.Equal(("pipeline", "create", "true"), (first.At("job.type"), first.At("job.action"), first.At("changes")));
        var uploads = first["uploads"]!.AsArray().Select(upload => upload!.AsObject()).ToArray();
        Assert.Contains(uploads, upload => upload.At("local").EndsWith("src", StringComparison.Ordinal) && (upload.At("files"), upload.At("bytes"), upload.At("action")) == ("2", "33", "upload"));
        Assert.Equal(["code", "component", "component", "component", "component", "component", "environment"], Assets(first, "create").Order(StringComparer.Ordinal));
        Assert.Equal(["clean"], first["assets"]!.AsArray().Single(asset => asset!.AsObject().At("type") == "code")!["usedBy"]!.AsArray().Select(step => step!.ToString()));
        Assert.Equal("ready", first["environments"]![0]!.AsObject().At("state"));
        Assert.Equal("exists", first["computes"]![0]!.AsObject().At("action"));
        Assert.Equal(("2", "0", "2", "7"), (first.At("totals.run"), first.At("totals.reuse"), first.At("totals.depends"), first.At("totals.create")));

        await client.SubmitAsync(yaml, "assets-1");
        await client.WhyAsync("assets-1");
        var second = (await client.PlanAsync(yaml)).Ok();
        Assert.Empty(Assets(second, "create"));
        Assert.All(second["uploads"]!.AsArray(), upload => Assert.Equal("exists", upload!.AsObject().At("action")));
        var same = second["assets"]!.AsArray().Select(asset => asset!.AsObject()).First(asset => asset.At("type") == "code");
        Assert.Equal($"{same.At("name")}:1", same.At("sameContentAs"));

        // All but the dice is reused; without it nothing is left to do.
        Assert.Equal(("1", "3", "true"), (second.At("totals.run"), second.At("totals.reuse"), second.At("changes")));
        client.Files["dice.yml"] = client.Files["dice.yml"].Replace("is_deterministic: false\n", "", StringComparison.Ordinal);
        await client.SubmitAsync(yaml, "assets-2");
        await client.WhyAsync("assets-2");
        Assert.Equal("false", (await client.PlanAsync(yaml)).Ok().At("changes"));
    }

    [Fact]
    public async Task A_plan_leaves_nothing_behind()
    {
        Local();
        var yaml = Pipeline.Replace("EXP", "traces", StringComparison.Ordinal);
        await client.SubmitAsync(yaml, "traces-1");
        await client.WhyAsync("traces-1");
        client.Files["src/clean.sh"] = "# two\ncat $1; echo $2\n";
        client.Files["new.csv"] = "never uploaded\n";
        var changed = yaml.Replace("./data.csv", "./new.csv", StringComparison.Ordinal);

        // A registered folder that nobody has read yet is looked at without remembering it.
        await client.Store.PutAsync(await client.AddressAsync("azureml://datastores/workspaceblobstore/paths/never/read.txt"), new MemoryStream(Encoding.UTF8.GetBytes("x")), new(), CancellationToken.None);
        changed = changed + """

              fresh:
                command: ls ${{inputs.it}} > ${{outputs.out}}
                environment: {image: debian}
                inputs: {it: {type: uri_folder, path: "azureml://datastores/workspaceblobstore/paths/never/"}}
                outputs: {out: {type: uri_file}}
            """;
        var before = await RestAsync();
        var plan = (await client.PlanAsync(changed, "traces-2")).Ok();
        Assert.Equal(["run", "depends", "run", "depends", "run"], plan["steps"]!.AsArray().Select(step => step!.AsObject().At("decision")));
        (await client.PlanAsync(changed.Replace("uri_folder}", "uri_folder, x: y}", StringComparison.Ordinal))).Fails(HttpStatusCode.BadRequest);
        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task What_is_wrong_is_told_as_when_it_is_created()
    {
        Local();
        var yaml = Pipeline.Replace("EXP", "wrong", StringComparison.Ordinal)
            .Replace("${{parent.jobs.clean.outputs.out}}", "${{parent.jobs.clean.outputs.nothing}}", StringComparison.Ordinal)
            .Replace("settings: {force_rerun: false}", "settings: {force_rerun: false, default_compute: azureml:nowhere}", StringComparison.Ordinal);
        var plan = await client.PlanAsync(yaml);
        var files = new JsonObject { ["job.yml"] = yaml };
        foreach (var name in new[] { "count.yml", "dice.yml", "inner.yml" })
        {
            files[name] = client.Files[name];
        }

        var create = await client.SendAsync("yaml:resolve", new JsonObject { ["kind"] = "job", ["file"] = "job.yml", ["files"] = files }, null);
        Assert.Equal(create.Targets(), plan.Targets());
        Assert.All(plan.Targets(), target => Assert.Matches(@"^job\.yml:\d+:\d+", target));

        // A name that is taken by another job, and by a step.
        await client.SubmitAsync(Pipeline.Replace("EXP", "taken", StringComparison.Ordinal), "taken");
        await client.WhyAsync("taken");
        Assert.EndsWith(" name", Assert.Single((await client.PlanAsync("command: echo\nenvironment: {image: debian}\nname: taken\n")).Targets()), StringComparison.Ordinal);
        Assert.EndsWith(" name", Assert.Single((await client.PlanAsync("command: echo\nenvironment: {image: debian}\nname: taken_clean\n")).Targets()), StringComparison.Ordinal);
        Assert.Equal(("command", "update"), await UpdateAsync());
        Assert.Equal("update", (await client.PlanAsync(Pipeline.Replace("EXP", "taken", StringComparison.Ordinal), "taken")).Ok().At("job.action"));
    }

    private async Task<(string Type, string Action)> UpdateAsync()
    {
        const string yaml = "command: echo\nenvironment: {image: debian}\noutputs: {model: {type: custom_model, name: planned-model}, table: {type: uri_file, name: planned-table, version: 7}}\n";
        var plan = (await client.PlanAsync(yaml, "command-update")).Ok();
        Assert.Equal(["model planned-model:1", "data planned-table:7"], plan["assets"]!.AsArray().Select(row => row!.AsObject()).Where(row => row.At("action") == "register").Select(row => $"{row.At("type")} {row.At("name")}:{row.At("version")}"));
        await client.SubmitAsync(yaml, "command-update");
        plan = (await client.PlanAsync(yaml, "command-update")).Ok();
        return (plan.At("job.type"), plan.At("job.action"));
    }

    [Fact]
    public async Task A_command_job_runs_and_its_environment_may_lack_packages()
    {
        client.Files["src/a.py"] = "print()\n";
        var plan = (await client.PlanAsync("""
            command: python a.py
            code: ./src
            environment:
              image: debian
              conda_file: {dependencies: [python, {pip: [no-such-package-here==1]}]}
            """)).Ok();
        Assert.Equal(("command", "run"), (plan.At("job.type"), plan["steps"]![0]!.AsObject().At("decision")));
        Assert.Equal("runs: it was submitted by itself; only steps of pipelines are reused", plan["steps"]![0]!.AsObject().At("summary"));
        var environment = plan["environments"]![0]!.AsObject();
        Assert.Equal(("build", "no-such-package-here==1 (not installed)"), (environment.At("state"), environment["missing"]![0]!.ToString()));
    }

    [Fact]
    public async Task Who_may_submit_may_plan_and_readers_may_not()
    {
        const string yaml = "command: echo\nenvironment: {image: debian}\n";
        using var reader = await host.PrincipalAsync("acdd72a7-3385-48ef-bd42-f606fba81ae7");
        using var scientist = await host.PrincipalAsync("f6c7c914-8db3-469d-8ca1-694a8f32e121");
        Assert.Equal(HttpStatusCode.OK, (await client.PlanAsync(yaml, asWhom: scientist)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.PlanAsync(yaml, asWhom: reader)).Status);
    }

    private IReadOnlyList<JsonObject> planned = [];

    private async Task<string[]> AgreeAsync(string name, string yaml)
    {
        planned = await client.AgreeAsync(name, yaml);
        return [.. planned.Select(step => $"{step.At("decision")} {step.At("reason")}".TrimEnd())];
    }

    private static IEnumerable<string> Assets(JsonObject plan, string action) => plan["assets"]!.AsArray().Select(asset => asset!.AsObject()).Where(asset => asset.At("action") == action).Select(asset => asset.At("type"));

    private void Local()
    {
        foreach (var (name, text) in new[] { ("src/clean.sh", "# one\ncat $1; echo $2\n# end\n"), ("data.csv", "data\n"), ("count.yml", Count), ("dice.yml", Dice), ("inner.yml", Inner) })
        {
            client.Files[name] = text;
        }
    }

    /// <summary>The state of a server that has nothing left to write of earlier jobs, such as their logs.</summary>
    private async Task<string> RestAsync()
    {
        await host.RestartAsync();
        for (var (before, tries) = (await StateAsync(), 0); ; tries++)
        {
            await Task.Delay(250);
            var now = await StateAsync();
            if (now == before)
            {
                return now;
            }

            Assert.True(tries < 100, "The server never rests.");
            before = now;
        }
    }

    /// <summary>Every row of the database, and every file below the data folder but the database's own, the sandboxes that wait, what is being deleted, and the seals of earlier events, which come a moment after them.</summary>
    private async Task<string> StateAsync()
    {
        var state = new StringBuilder();
        var rows = await host.Get<IDatabase>().ReadAsync(
            connection =>
            {
                var all = new List<string>();
                foreach (var table in connection.Query<string>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").AsList())
                {
                    all.AddRange(connection.Query($"SELECT * FROM \"{table}\"").Select(row => table + " " + string.Join('|', ((IDictionary<string, object?>)row).Values)).Order(StringComparer.Ordinal));
                }

                return all;
            },
            CancellationToken.None);
        state.AppendJoin('\n', rows);
        bool Counts(string file) => !OfOthers.Any(part => file.Contains(part, StringComparison.Ordinal));
        foreach (var file in Directory.EnumerateFiles(host.Root, "*", SearchOption.AllDirectories).Where(Counts).Order(StringComparer.Ordinal))
        {
            state.AppendLine().Append(file).Append(' ').Append(new FileInfo(file).Length).Append(' ').Append(File.GetLastWriteTimeUtc(file).Ticks);
        }

        return state.ToString();
    }
}
