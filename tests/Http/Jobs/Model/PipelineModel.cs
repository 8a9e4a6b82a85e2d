using System.Security.Cryptography;
using System.Text;

namespace Zaffre.Tests.Http.Jobs.Model;

/// <summary>A step (or the pipeline itself, without a parent) as the model sees it.</summary>
internal sealed class ModelNode(string name, ModelNode? parent, CaseStep? step, CaseLevel? level)
{
    /// <summary>Name of its job.</summary>
    public string Name => name;

    public ModelNode? Parent => parent;

    public CaseStep? Step => step;

    /// <summary>Set when it is a pipeline.</summary>
    public CaseLevel? Level => level;

    public List<ModelNode> Children { get; } = [];

    public string Status { get; set; } = "NotStarted";

    /// <summary>Why it ended otherwise than completed.</summary>
    public string? Code { get; set; }

    /// <summary>Its other steps are ended because one failed.</summary>
    public bool Stopping { get; set; }

    public bool IsOpen => Status is "NotStarted" or "Running";

    public IEnumerable<ModelNode> Needs => step!.Needs.Select(i => parent!.Children[i]);

    public IEnumerable<ModelNode> All => Children.SelectMany(child => child.All).Prepend(this);
}

/// <summary>
/// The rules of docs/jobs.md as a small program without time, processes or storage: what is open, what runs, how everything ends, and what lies in
/// the outputs.
/// </summary>
internal sealed class PipelineModel
{
    private readonly bool goOn;

    public PipelineModel(PipelineCase pipeline, string name)
    {
        goOn = pipeline.GoOn;
        Root = Node(name, null, null, pipeline.Root);
        Release(Root);
    }

    public ModelNode Root { get; }

    public IEnumerable<ModelNode> Running => Root.All.Where(node => node.Level is null && node.Status == "Running");

    /// <summary>A command ends by itself.</summary>
    public void Exit(ModelNode node, int code) => End(node, code == 0 ? "Completed" : "Failed", code == 0 ? null : "UserError");

    /// <summary>Somebody cancels a step or the pipeline.</summary>
    public void Cancel(ModelNode node)
    {
        if (node.IsOpen)
        {
            Stop(node);
            After(node);
        }
    }

    /// <summary>What a command of this name and tag writes, given what its inputs hold.</summary>
    public static string Written(string name, string tag, IEnumerable<string> inputs)
    {
        var text = $"{name}[{tag}]({string.Join(",", inputs)})";
        return text.Length < 200 ? text : name + "#" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }

    /// <summary>What lies in the output of a completed step.</summary>
    public static string Output(ModelNode node) => node.Level is { } level
        ? Output(node.Children[level.Output])
        : Written(node.Name, Tag(node), Enumerable.Range(0, PipelineCase.Ports).Select(port => Input(node, port)).OfType<string>());

    private static string? Input(ModelNode node, int port) => node.Step!.Inputs[port] switch
    {
        { Step: { } from } => Output(node.Parent!.Children[from]),
        { Parent: { } outer } => Input(node.Parent!, outer),
        _ => null,
    };

    private static string Tag(ModelNode node) => node.Step is not { } step ? "root" : step.Tag switch
    {
        TagKind.Literal => "literal",
        TagKind.Parent => Tag(node.Parent!),
        TagKind.Sibling => Tag(node.Parent!.Children[step.Sibling]),
        _ => "default",
    };

    private static ModelNode Node(string name, ModelNode? parent, CaseStep? step, CaseLevel? level)
    {
        var node = new ModelNode(name, parent, step, level);
        node.Children.AddRange((level?.Steps ?? []).Select((child, i) => Node($"{name}_s{i}", node, child, child.Inner)));
        return node;
    }

    private static void Release(ModelNode node)
    {
        node.Status = "Running";
        foreach (var child in node.Children.Where(child => child.Status == "NotStarted" && !child.Needs.Any()))
        {
            Release(child);
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
            Skip(node);
            if (!goOn && !pipeline.Stopping)
            {
                pipeline.Stopping = true;
                pipeline.Children.Where(child => child.IsOpen).ToList().ForEach(Stop);
            }
        }

        if (!pipeline.Children.Any(child => child.IsOpen))
        {
            var completed = pipeline.Children.All(child => child.Status == "Completed");
            End(pipeline, completed ? "Completed" : "Failed", completed ? null : "StepFailed");
        }
    }

    private static void Skip(ModelNode ended)
    {
        foreach (var waiting in ended.Parent!.Children.Where(child => child.Status == "NotStarted" && child.Needs.Contains(ended)).ToArray())
        {
            CancelAll(waiting, "StepSkipped");
            Skip(waiting);
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
