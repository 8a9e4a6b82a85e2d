using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs.Model;

/// <summary>Submits a case, does to it what its choices say, and holds every state of the server against the model's.</summary>
internal sealed class PipelineDriver(ZaffreHost host, ScriptedLauncher launcher, TimeSpan patience)
{
    public const string Compute = "wide";
    private readonly PipelineClient pipelines = new(host);
    private readonly ModelRuns runs = new();
    private PipelineModel? model;
    private PipelineCase? present;
    private int next;

    private Arm Arm => pipelines.Arm;

    private PipelineModel Model => model!;

    /// <summary>What every case works with.</summary>
    public static async Task SetUpAsync(ZaffreHost host)
    {
        var pipelines = new PipelineClient(host);
        for (var variant = 0; variant < PipelineCase.Variants; variant++)
        {
            var (who, deterministic) = variant == 0 ? ("-", "false") : ($"v{variant}", "true");
            await pipelines.ComponentAsync(Command(variant), $$$"""
                {"command":"write {{{who}}} ${{inputs.tag}} ${{outputs.out}} ${{outputs.flag}} $[[${{inputs.a}}]] $[[${{inputs.b}}]] $[[${{inputs.c}}]]","is_deterministic":{{{deterministic}}},
                 "inputs":{"tag":{"type":"string","default":"default"},"a":{"type":"uri_file","optional":true},"b":{"type":"uri_file","optional":true},"c":{"type":"uri_file","optional":true} },
                 "outputs":{"out":{"type":"uri_file"},"flag":{"type":"boolean"}} }
                """);
        }

        (await pipelines.Arm.PutAsync("~/computes/" + Compute, """
            {"location":"local","properties":{"computeType":"AmlCompute","properties":{"vmSize":"Standard_DS2_v2","scaleSettings":{"minNodeCount":0,"maxNodeCount":1000}}}}
            """)).Ok();
    }

    /// <summary>Runs one case after another; each may reuse what ran before it.</summary>
    public async Task RunAsync(PipelineCase one, string name)
    {
        await SubmitAsync(one, name);
        while (await MoveAsync())
        {
        }

        await CheckEndAsync();
    }

    public async Task SubmitAsync(PipelineCase one, string name)
    {
        var wire = new PipelineWire(Arm.Main.Id.Value, (_, step) => Command(step.Variant));
        foreach (var (component, spec) in wire.Components(one, name))
        {
            await pipelines.ComponentAsync(component, spec.ToJsonString());
        }

        (present, next, model) = (one, 0, new PipelineModel(one, name, runs));
        (await pipelines.PutAsync(name, wire.Job(one, name, Compute).ToJsonString())).Ok();
        await SettleAsync([.. Model.Root.All]);
    }

    /// <summary>How many commands ran, and how many were reused.</summary>
    public (int Ran, int Reused) Count() => (Model.Root.All.Count(node => node is { IsCommand: true, Began: true, Reused: false }), Model.Root.All.Count(node => node.Reused));

    /// <summary>Takes the outputs away of every run that saw one certain thing, and names it.</summary>
    public async Task<string?> LoseAsync(int which)
    {
        var keys = runs.Keys.ToArray();
        if (keys.Length == 0)
        {
            return null;
        }

        var key = keys[which % keys.Length];
        foreach (var job in runs.Of(key))
        {
            await pipelines.DeleteAsync($"azureml://jobs/{job}/outputs/out");
        }

        runs.Forget(key);
        return key;
    }

    /// <summary>Does the next thing; false when the pipeline has ended.</summary>
    public async Task<bool> MoveAsync()
    {
        if (!Model.Root.IsOpen)
        {
            return false;
        }

        var before = Model.Root.All.ToDictionary(node => node, node => node.Status);
        var choice = next < present!.Choices.Count ? present.Choices[next++] : 0;
        var (kind, which) = (choice % 20, choice / 20);
        if (kind < 18)
        {
            var running = Model.Running.ToArray();
            var (node, code) = (running[which % running.Length], kind < 13 ? 0 : 3);
            Model.Exit(node, code);
            launcher.End(node.Name, code);
        }
        else
        {
            // Now and then the pipeline itself, else any of its steps, also one that has ended.
            var steps = Model.Root.All.ToArray();
            var node = kind == 19 && which % 4 == 0 ? steps[0] : steps[1 + (which % (steps.Length - 1))];
            Model.Cancel(node);
            using var answer = await pipelines.Jobs.CancelAsync(node.Name);
            Assert.True(answer.IsSuccessStatusCode, $"the cancellation of {node.Name} was answered {answer.StatusCode}");
        }

        await SettleAsync([.. Model.Root.All.Where(node => before.GetValueOrDefault(node) != node.Status)]);
        return true;
    }

    public override string ToString() => $"{model?.Root.Name}: {present}";

    /// <summary>Everything at the end: status and code of every step, outputs, the asset, and that no command ran twice.</summary>
    public async Task CheckEndAsync()
    {
        await SettleAsync([.. Model.Root.All]);
        foreach (var node in Model.Root.All)
        {
            var job = (await Arm.GetAsync("~/jobs/" + node.Name)).Ok();
            var run = (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/{node.Name}")).Ok();
            Assert.Equal((node.Name, node.Status, node.Code), (node.Name, job.At("properties.status"), job["properties"]!["properties"]!["zaffre.error.code"]?.ToString()));
            Assert.Equal((node.Name, node.Status), (node.Name, run.At("status")));
            Assert.InRange(launcher.Starts.GetValueOrDefault(node.Name), node is { Status: "Completed", IsCommand: true, Reused: false } ? 1 : 0, node is { IsCommand: true, Reused: false } ? 1 : 0);
            if (node.Status == "Completed" && (node.Number > 0 || node.Step?.HasOutput != false))
            {
                Assert.Equal(PipelineModel.Output(node), await pipelines.ReadAsync($"azureml://jobs/{node.Name}/outputs/out"));
            }
        }

        var asset = await host.Get<IUriResolver>().ResolveAsync(Arm.Main, $"azureml:{Model.Root.Name}@latest", CancellationToken.None);
        Assert.Equal((Model.Root.Name, Model.Root.Status == "Completed"), (Model.Root.Name, asset.TryGet(out _, out _)));
        await CheckReasonsAsync();
        await CheckLogAsync();
    }

    /// <summary>Every command says why it ran or was reused, and of whom.</summary>
    private async Task CheckReasonsAsync()
    {
        var steps = (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/{Model.Root.Name}/why")).Ok()["steps"]!.AsArray().ToDictionary(step => step!["name"]!.ToString(), step => step!.AsObject());
        foreach (var node in Model.Root.All.Where(node => node.IsCommand))
        {
            var (said, reason) = (steps[node.Name]["decision"]!.ToString(), steps[node.Name]["reason"]?.ToString());
            Assert.Equal((node.Name, node.Began ? node.Reused ? "reused" : "run" : "none"), (node.Name, said));
            if (node.Reused)
            {
                Assert.Contains(steps[node.Name]["reusedFrom"]!.ToString(), runs.Of(PipelineModel.Key(node)));
            }

            var why = (node.Began, node.Reused, node.Step!.Variant, present!.Force, node.WasGone) switch
            {
                (false, _, _, _, _) => null,
                (_, true, _, _, _) => "Reused",
                (_, _, 0, _, _) => "NotDeterministic",
                (_, _, _, true, _) => "Forced",
                (_, _, _, _, true) => "OutputGone",
                _ => reason is "FirstRun" or "Changed" or "DidNotComplete" ? reason : "another reason",
            };
            Assert.Equal((node.Name, why), (node.Name, reason));
        }
    }

    /// <summary>The log tells of every end of a step once.</summary>
    private async Task CheckLogAsync()
    {
        var log = await pipelines.ReadAsync($"azureml://jobs/{Model.Root.Name}/outputs/artifacts/paths/logs/azureml/executionlogs.txt");
        foreach (var step in Model.Root.Children)
        {
            var told = log.Split('\n').Count(line => line.Contains($"] s{Model.Root.Children.IndexOf(step)}: ", StringComparison.Ordinal)
                && (string[])["completed", "failed", "canceled", "skipped"] is var ends && ends.Any(end => line.Contains($": {end}", StringComparison.Ordinal)));
            Assert.True(told <= 1, $"the log tells {told} times how {step.Name} ended:\n{log}");
        }
    }

    /// <summary>Waits until the changed steps are as the model says, and until exactly those commands live that the model lets run.</summary>
    private async Task SettleAsync(IReadOnlyCollection<ModelNode> changed)
    {
        var events = host.Get<IEventLog>();
        using var limit = new CancellationTokenSource(patience);
        while (true)
        {
            var cursor = await events.WaitAsync(-1, CancellationToken.None);
            var difference = await DifferenceAsync(changed);
            if (difference is null)
            {
                return;
            }

            try
            {
                await events.WaitAsync(cursor, limit.Token);
            }
            catch (OperationCanceledException late)
            {
                throw new InvalidOperationException($"the server stays at: {difference}\n{await StatesAsync()}", late);
            }
        }
    }

    private async Task<string> StatesAsync()
    {
        var lines = new List<string>();
        foreach (var node in Model.Root.All)
        {
            lines.Add($"{node.Name}: {(await Arm.GetAsync("~/jobs/" + node.Name)).Ok().At("properties.status")}, in the model {node.Status} {node.Code}");
        }

        return string.Join('\n', lines);
    }

    private async Task<string?> DifferenceAsync(IEnumerable<ModelNode> changed)
    {
        foreach (var node in changed)
        {
            var status = (await Arm.GetAsync("~/jobs/" + node.Name)).Ok().At("properties.status");
            if (status != node.Status)
            {
                return $"{node.Name} is {status}, expected {node.Status}";
            }
        }

        var expected = string.Join(" ", Model.Running.Select(node => node.Name).Order(StringComparer.Ordinal));
        var living = string.Join(" ", launcher.Living(Model.Root.Name + "_"));
        return living == expected ? null : $"[{living}] run, expected [{expected}]";
    }

    private static string Command(int variant) => $"model_write_{variant}";
}
