using System.Security.Cryptography;
using System.Text;

namespace Zaffre.Tests.Http.Jobs.Model;

/// <summary>A step (or the pipeline itself, without a parent) as the model sees it; an iteration has a number.</summary>
internal sealed class ModelNode(string name, ModelNode? parent, CaseStep? step, CaseLevel? level)
{
    /// <summary>Name of its job.</summary>
    public string Name => name;

    /// <summary>The same without the numbers of iterations.</summary>
    public string Path { get; init; } = "";

    /// <summary>From 1; 0 for what is no iteration of a loop.</summary>
    public int Number { get; init; }

    public ModelNode? Parent => parent;

    public CaseStep? Step => step;

    /// <summary>Set when it is a pipeline, and no loop of them.</summary>
    public CaseLevel? Level => IsLoop ? null : level;

    public bool IsLoop => Number == 0 && (step?.Is(ControlKind.DoWhile) == true || step?.Is(ControlKind.ParallelFor) == true);

    public bool IsDecision => step?.Is(ControlKind.If) == true;

    /// <summary>Whether it has a process.</summary>
    public bool IsCommand => level is null && !IsLoop && !IsDecision;

    /// <summary>The pipeline whose steps its inputs may name.</summary>
    public ModelNode? Scope => Number > 0 ? parent!.Parent : parent;

    public List<ModelNode> Children { get; } = [];

    public string Status { get; set; } = "NotStarted";

    /// <summary>Why it ended otherwise than completed.</summary>
    public string? Code { get; set; }

    /// <summary>It took the outputs of an earlier run.</summary>
    public bool Reused { get; set; }

    /// <summary>Its turn came.</summary>
    public bool Began { get; set; }

    /// <summary>When its turn came there had been runs of the same, without outputs by then.</summary>
    public bool WasGone { get; set; }

    /// <summary>Its other steps are ended because one failed.</summary>
    public bool Stopping { get; set; }

    public bool IsOpen => Status is "NotStarted" or "Running";

    public IEnumerable<ModelNode> Needs => Number > 0 ? [] : step!.Needs.Select(i => parent!.Children[i]);

    public IEnumerable<ModelNode> All => Children.SelectMany(child => child.All).Prepend(this);
}

/// <summary>The runs that later pipelines can reuse, by what they saw; and what lost its outputs.</summary>
internal sealed class ModelRuns
{
    private readonly Dictionary<string, HashSet<string>> completed = new(StringComparer.Ordinal);
    private readonly HashSet<string> gone = new(StringComparer.Ordinal);

    public IEnumerable<string> Keys => completed.Keys.Order(StringComparer.Ordinal);

    /// <summary>The jobs that ran, completed, and still have their outputs.</summary>
    public IReadOnlyCollection<string> Of(string key) => completed.GetValueOrDefault(key) ?? [];

    /// <summary>There were runs, and none of them has its outputs any more.</summary>
    public bool IsGone(string key) => gone.Contains(key) && Of(key).Count == 0;

    public void Add(string key, string job) => (completed.TryGetValue(key, out var jobs) ? jobs : completed[key] = new(StringComparer.Ordinal)).Add(job);

    public void Forget(string key)
    {
        completed.Remove(key);
        gone.Add(key);
    }
}

/// <summary>
/// The rules of docs/jobs.md as a small program without time, processes or storage: what is open, what runs, how everything ends, and what lies in
/// the outputs.
/// </summary>
internal sealed class PipelineModel
{
    private const string NotTaken = "BranchNotTaken";

    private readonly bool goOn;
    private readonly bool force;
    private readonly ModelRuns runs;

    public PipelineModel(PipelineCase pipeline, string name, ModelRuns? runs = null)
    {
        (goOn, force, this.runs) = (pipeline.GoOn, pipeline.Force, runs ?? new ModelRuns());
        Root = Node((name, name), null, null, 0, pipeline.Root);
        Release(Root);
    }

    public ModelNode Root { get; }

    public IEnumerable<ModelNode> Running => Root.All.Where(node => node.IsCommand && node.Status == "Running");

    /// <summary>A command ends by itself.</summary>
    public void Exit(ModelNode node, int code)
    {
        if (code == 0 && node.Step!.Variant > 0)
        {
            runs.Add(Key(node), node.Name);
        }

        End(node, code == 0 ? "Completed" : "Failed", code == 0 ? null : "UserError");
    }

    /// <summary>Somebody cancels a step or the pipeline.</summary>
    public void Cancel(ModelNode node)
    {
        if (node.IsOpen)
        {
            Stop(node);
            After(node);
        }
    }

    /// <summary>What a command writes as <paramref name="who"/>, with this tag, given what its inputs hold.</summary>
    public static string Written(string who, string tag, IEnumerable<string> inputs)
    {
        var text = $"{who}[{tag}]({string.Join(",", inputs)})";
        return text.Length < 200 ? text : who + "#" + Digest(text)[..16];
    }

    /// <summary>The flag that a command writes beside this output.</summary>
    public static bool Flag(string output) => Digest(output)[0] > '5';

    /// <summary>What a command can see, within the runs of one salt: two with the same key do the same.</summary>
    public static string Key(ModelNode node) =>
        $"{Who(node)}[{Tag(node)}]({string.Join(",", Enumerable.Range(0, PipelineCase.Ports).Select(port => (Port: PipelineCase.Port(port), Text: Input(node, port))).Where(input => input.Text is not null).Select(input => $"{input.Port}={input.Text}"))})";

    /// <summary>What lies in the output of a completed step.</summary>
    public static string Output(ModelNode node) => node switch
    {
        { IsLoop: true } => Output(node.Children[^1]),
        { Level: { } level } => Output(node.Children[level.Output]),
        _ => Written(Who(node), Tag(node), Enumerable.Range(0, PipelineCase.Ports).Select(port => Input(node, port)).OfType<string>()),
    };

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Who(ModelNode node) => node.Step!.Variant == 0 ? node.Name : $"v{node.Step.Variant}";

    private static string? Input(ModelNode node, int port) => node switch
    {
        { Number: > 1 } when port == 0 && node.Step!.Is(ControlKind.DoWhile) => Output(node.Parent!.Children[node.Number - 2]),
        { Step: { } step, Scope: { } scope } => step.Inputs[port] switch
        {
            { Step: { } from } => Output(scope.Children[from]),
            { Parent: { } outer } => Input(scope, outer),
            _ => null,
        },
        _ => null,
    };

    private static string Tag(ModelNode node) => node.Step is not { } step ? "root" : node.Number > 0 && step.Is(ControlKind.ParallelFor) ? $"i{node.Number}" : step.Tag switch
    {
        TagKind.Literal => "literal",
        TagKind.Parent => Tag(node.Scope!),
        TagKind.Sibling => Tag(node.Scope!.Children[step.Sibling]),
        _ => "default",
    };

    private static ModelNode Node((string Name, string Path) names, ModelNode? parent, CaseStep? step, int number, CaseLevel? level)
    {
        var node = new ModelNode(names.Name, parent, step, level) { Path = names.Path, Number = number };
        node.Children.AddRange((node.Level?.Steps ?? []).Select((child, i) => Node(($"{names.Name}_s{i}", $"{names.Path}_s{i}"), node, child, 0, child.Inner)));
        return node;
    }

    private void Release(ModelNode node)
    {
        (node.Status, node.Began, node.WasGone) = ("Running", true, node.IsCommand && runs.IsGone(Key(node)));
        if (node.IsDecision)
        {
            Decide(node);
        }
        else if (node.IsLoop)
        {
            Iterate(node);
        }
        else if (node.IsCommand && !force && node.Step!.Variant > 0 && runs.Of(Key(node)).Count > 0)
        {
            node.Reused = true;
            End(node, "Completed", null);
        }

        // A decision among them may end others.
        foreach (var child in node.Children.Where(child => child.Number == 0).ToArray())
        {
            if (child.Status == "NotStarted" && !child.Needs.Any())
            {
                Release(child);
            }
        }
    }

    private void Decide(ModelNode node)
    {
        var control = node.Step!.Control!;
        var holds = control.Flag is { } flag ? Flag(Output(node.Parent!.Children[flag])) : control.Value;
        var index = node.Parent!.Children.IndexOf(node);
        foreach (var other in node.Parent.Children.Where(child => child.Step!.Branch is { } branch && branch.If == index && branch.Side != holds && child.Status == "NotStarted").ToArray())
        {
            CancelAll(other, NotTaken);
            Skip(other, NotTaken);
        }

        End(node, "Completed", null);
    }

    /// <summary>Begins the iterations that may run now.</summary>
    private void Iterate(ModelNode loop)
    {
        var control = loop.Step!.Control!;
        bool More() => loop is { Status: "Running", Stopping: false } && loop.Children.Count < control.Count && (control.Kind == ControlKind.ParallelFor
            ? loop.Children.Count(child => child.IsOpen) < control.AtOnce
            : loop.Children.Count == 0 || (loop.Children[^1].Status == "Completed" && (loop.Step.Inner is not null || Flag(Output(loop.Children[^1])))));
        while (More())
        {
            var number = loop.Children.Count + 1;
            loop.Children.Add(Node(($"{loop.Name}_{number}", loop.Path), loop, loop.Step, number, loop.Step.Inner));
            Release(loop.Children[^1]);
        }
    }

    private void End(ModelNode node, string status, string? code)
    {
        (node.Status, node.Code) = (status, code);
        After(node);
    }

    /// <summary>What the end of a step means to the others and to its pipeline, which ends with its last step even when it never started.</summary>
    private void After(ModelNode node)
    {
        if (node.Parent is not { } pipeline)
        {
            return;
        }

        if (node.Status == "Completed")
        {
            foreach (var ready in pipeline.Children.Where(child => child.Status == "NotStarted" && child.Needs.Contains(node) && child.Needs.All(need => need.Status == "Completed")).ToArray())
            {
                Release(ready);
            }
        }
        else
        {
            Skip(node, "StepSkipped");
            if (!goOn && !pipeline.Stopping)
            {
                pipeline.Stopping = true;
                pipeline.Children.Where(child => child.IsOpen).ToList().ForEach(Stop);
            }
        }

        if (pipeline.IsLoop)
        {
            Iterate(pipeline);
        }

        // An inner end may have ended the pipeline already.
        if (pipeline.IsOpen && !pipeline.Children.Any(child => child.IsOpen))
        {
            var completed = pipeline.Children.All(child => child.Status == "Completed" || child.Code == NotTaken);
            End(pipeline, completed ? "Completed" : "Failed", completed ? null : "StepFailed");
        }
    }

    private static void Skip(ModelNode ended, string code)
    {
        foreach (var waiting in ended.Parent!.Children.Where(child => child.Status == "NotStarted" && child.Needs.Contains(ended)).ToArray())
        {
            CancelAll(waiting, code);
            Skip(waiting, code);
        }
    }

    private static void Stop(ModelNode node) => CancelAll(node, "JobCanceled");

    private static void CancelAll(ModelNode node, string code)
    {
        foreach (var open in node.All.Where(below => below.IsOpen).ToArray())
        {
            (open.Status, open.Code) = ("Canceled", code);
        }
    }
}
