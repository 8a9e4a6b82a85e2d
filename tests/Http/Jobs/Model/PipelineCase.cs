using System.Text;

namespace Zaffre.Tests.Http.Jobs.Model;

/// <summary>Where an input of a step comes from: an output of an earlier step of the same pipeline, an input of the pipeline, or nowhere.</summary>
internal sealed record Source(int? Step, int? Parent)
{
    public static readonly Source None = new(null, null);
}

/// <summary>Where a step's value <c>tag</c> comes from.</summary>
internal enum TagKind
{
    Default,
    Literal,
    Parent,
    Sibling,
}

/// <summary>A step: up to three optional inputs, a value, and what is nested in it (null: a command).</summary>
internal sealed record CaseStep(IReadOnlyList<Source> Inputs, TagKind Tag, int Sibling, CaseLevel? Inner)
{
    /// <summary>The earlier steps that this one waits for.</summary>
    public IEnumerable<int> Needs => Inputs.Select(input => input.Step).OfType<int>().Concat(Tag == TagKind.Sibling ? [Sibling] : []).Distinct();
}

/// <summary>The steps of one pipeline, in an order in which they can run; <paramref name="Output"/> is the one that writes the pipeline's output.</summary>
internal sealed record CaseLevel(IReadOnlyList<CaseStep> Steps, int Output);

/// <summary>A pipeline, and what happens to it: each choice picks what ends next and how, among what is possible then.</summary>
internal sealed record PipelineCase(CaseLevel Root, bool GoOn, IReadOnlyList<int> Choices)
{
    public const int Ports = 3;

    public static string Port(int port) => ((char)('a' + port)).ToString();

    public override string ToString()
    {
        var text = new StringBuilder($"continue_on_step_failure={GoOn} ");
        Write(text, Root);
        return text.Append($" choices=[{string.Join(",", Choices)}]").ToString();
    }

    private static void Write(StringBuilder text, CaseLevel level)
    {
        text.Append('{');
        for (var i = 0; i < level.Steps.Count; i++)
        {
            var step = level.Steps[i];
            var inputs = step.Inputs.Select((source, port) => source switch
            {
                { Step: { } from } => $"{Port(port)}=s{from}",
                { Parent: { } outer } => $"{Port(port)}=parent.{Port(outer)}",
                _ => null,
            });
            var tag = step.Tag switch { TagKind.Sibling => $"tag=s{step.Sibling}.tag", TagKind.Default => null, var kind => $"tag={kind}" };
            text.Append($"{(i == 0 ? "" : " ")}s{i}({string.Join(",", inputs.Append(tag).OfType<string>())})");
            if (step.Inner is not null)
            {
                Write(text, step.Inner);
            }
        }

        text.Append($"}}->s{level.Output}");
    }
}

/// <summary>Random cases, and smaller ones of a case that fails.</summary>
internal static class PipelineCases
{
    private const int MostSteps = 5;
    private const int Deepest = 2;

    public static PipelineCase Random(Random random)
    {
        var root = Level(random, 0);
        return new PipelineCase(root, random.Next(2) == 0, [.. Enumerable.Range(0, random.Next(0, 14)).Select(_ => random.Next(0, 10_000))]);
    }

    private static CaseLevel Level(Random random, int depth)
    {
        var steps = new List<CaseStep>();
        var count = random.Next(1, (depth == 0 ? MostSteps + 2 : MostSteps - depth) + 1);
        var dense = random.NextDouble();
        for (var i = 0; i < count; i++)
        {
            var at = i;
            Source Input() => at > 0 && random.NextDouble() < dense ? new Source(random.Next(at), null)
                : depth > 0 && random.Next(3) == 0 ? new Source(null, random.Next(PipelineCase.Ports))
                : Source.None;
            var inputs = Enumerable.Range(0, PipelineCase.Ports).Select(_ => Input()).ToArray();
            var tag = (TagKind)random.Next(i > 0 ? 4 : 3);
            var inner = depth < Deepest && random.Next(4) == 0 ? Level(random, depth + 1) : null;
            steps.Add(new CaseStep(inputs, tag, i > 0 ? random.Next(i) : 0, inner));
        }

        return new CaseLevel(steps, random.Next(count));
    }

    /// <summary>Cases that have less of something, the boldest first.</summary>
    public static IEnumerable<PipelineCase> Smaller(PipelineCase one)
    {
        foreach (var root in Smaller(one.Root))
        {
            yield return one with { Root = root };
        }

        for (var i = 0; i < one.Choices.Count; i++)
        {
            yield return one with { Choices = [.. one.Choices.Take(i), .. one.Choices.Skip(i + 1)] };
        }

        for (var i = 0; i < one.Choices.Count; i++)
        {
            if (one.Choices[i] > 0)
            {
                yield return one with { Choices = [.. one.Choices.Take(i), 0, .. one.Choices.Skip(i + 1)] };
            }
        }

        if (!one.GoOn)
        {
            yield return one with { GoOn = true };
        }
    }

    private static IEnumerable<CaseLevel> Smaller(CaseLevel level)
    {
        for (var i = 0; level.Steps.Count > 1 && i < level.Steps.Count; i++)
        {
            yield return Without(level, i);
        }

        for (var i = 0; i < level.Steps.Count; i++)
        {
            foreach (var step in Smaller(level.Steps[i]))
            {
                yield return level with { Steps = [.. level.Steps.Take(i), step, .. level.Steps.Skip(i + 1)] };
            }
        }
    }

    private static IEnumerable<CaseStep> Smaller(CaseStep step)
    {
        if (step.Inner is { } inner)
        {
            yield return step with { Inner = null };
            foreach (var less in Smaller(inner))
            {
                yield return step with { Inner = less };
            }
        }

        for (var port = 0; port < step.Inputs.Count; port++)
        {
            if (step.Inputs[port] != Source.None)
            {
                yield return step with { Inputs = [.. step.Inputs.Take(port), Source.None, .. step.Inputs.Skip(port + 1)] };
            }
        }

        if (step.Tag != TagKind.Default)
        {
            yield return step with { Tag = TagKind.Default };
        }
    }

    private static CaseLevel Without(CaseLevel level, int gone)
    {
        static int Moved(int index, int gone) => index > gone ? index - 1 : index;
        Source Kept(Source source) => source.Step is not { } step ? source : step == gone ? Source.None : new Source(Moved(step, gone), null);
        var steps = level.Steps.Where((_, i) => i != gone).Select(step => step with
        {
            Inputs = [.. step.Inputs.Select(Kept)],
            Tag = step.Tag == TagKind.Sibling && step.Sibling == gone ? TagKind.Default : step.Tag,
            Sibling = Moved(step.Sibling, gone),
        });
        return new CaseLevel([.. steps], level.Output == gone ? 0 : Moved(level.Output, gone));
    }
}
