using Zaffre.Assets;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Assets;

/// <summary>What is refused by name is first checked as azure-ai-ml checks it.</summary>
public sealed class YamlSchemasTests
{
    private readonly List<Problem> problems = [];

    [Fact]
    public void A_whole_sweep_job_has_nothing_wrong()
    {
        Check("SweepJobSchema", """
            $schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json
            type: sweep
            status: Completed
            sampling_algorithm: random
            trial:
              command: python train.py --rate ${{search_space.rate}}
              environment: azureml:sklearn@latest
            search_space:
              rate: { type: uniform, min_value: 0.01, max_value: 1 }
              kind: { type: choice, values: [a, b] }
            objective: { goal: minimize, primary_metric: loss }
            limits: { max_total_trials: 4 }
            inputs: { a: 1, b: { type: uri_file, path: ./x.csv }, c: text }
            early_termination: { type: bandit, slack_factor: 0.1 }
            identity: { type: user_identity }
            """);
        Assert.Empty(problems);
    }

    [Fact]
    public void Everything_wrong_in_it_is_told_at_its_place()
    {
        Check("SweepJobSchema", """
            type: sweep
            sampling_algorithm: lucky
            trial: { command: x }
            search_space:
              rate: { type: uniform, min_value: low, max_value: 1 }
              kind: { type: selection }
            objective: { goal: shrink, primary_metric: loss }
            limts: { max_total_trials: 4 }
            """);
        Assert.Equal(
            [
                "f.yml:2:21 sampling_algorithm", "f.yml:3:8 trial.environment", "f.yml:5:37 search_space.rate.min_value", "f.yml:6:17 search_space.kind.type", "f.yml:7:20 objective.goal",
                "f.yml:8:1 limts", "f.yml:1:1 limits",
            ],
            problems.Select(problem => problem.Target).OrderBy(target => target == "f.yml:1:1 limits").ThenBy(target => target, StringComparer.Ordinal));
    }

    [Fact]
    public void Expressions_may_stand_for_any_value()
    {
        Check("PipelineParallelJobSchema", """
            type: parallel
            mini_batch_size: "10"
            max_concurrency_per_instance: ${{parent.inputs.many}}
            outputs: { o: "${{parent.outputs.o}}" }
            task: { type: run_function, entry_script: a.py, environment: azureml:x:1 }
            input_data: ${{inputs.data}}
            """);
        Assert.Empty(problems);
    }

    private void Check(string schema, string yaml)
    {
        var map = YamlFiles.Read("f.yml", yaml, problems)!;
        map.CheckAgainst(schema);
        map.RejectUnknown();
    }
}
