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

/// <summary>What a step decides or repeats.</summary>
internal enum ControlKind
{
    If,
    DoWhile,
    ParallelFor,
}

/// <summary>
/// A decision, by the flag of an earlier command or by a value; or a loop of at most (a <c>do_while</c>) or exactly (a <c>parallel_for</c>) so many
/// iterations.
/// </summary>
internal sealed record CaseControl(ControlKind Kind, int Count, int AtOnce, int? Flag, bool Value);

/// <summary>A step: up to three optional inputs, a value, and what is nested in it (null: a command).</summary>
internal sealed record CaseStep(IReadOnlyList<Source> Inputs, TagKind Tag, int Sibling, CaseLevel? Inner)
{
    /// <summary>Null for a step that just runs.</summary>
    public CaseControl? Control { get; init; }

    /// <summary>The earlier decision whose block the step stands in, and which block.</summary>
    public (int If, bool Side)? Branch { get; init; }

    /// <summary>Which command it runs: 0 is not deterministic and writes its job's name, the others write the same whenever they see the same.</summary>
    public int Variant { get; init; }

    /// <summary>A command of two processes, where tasks are real.</summary>
    public bool Gang { get; init; }

    public bool Is(ControlKind kind) => Control?.Kind == kind;

    /// <summary>Whether others can read its output.</summary>
    public bool HasOutput => !Is(ControlKind.If) && !Is(ControlKind.ParallelFor);

    /// <summary>The earlier steps that this one waits for.</summary>
    public IEnumerable<int> Needs => Inputs.Select(input => input.Step).Append(Control?.Flag).Append(Branch?.If).OfType<int>().Concat(Tag == TagKind.Sibling ? [Sibling] : []).Distinct();
}

/// <summary>The steps of one pipeline, in an order in which they can run; <paramref name="Output"/> is the one that writes the pipeline's output.</summary>
internal sealed record CaseLevel(IReadOnlyList<CaseStep> Steps, int Output);

/// <summary>A pipeline, and what happens to it: each choice picks what ends next and how, among what is possible then.</summary>
internal sealed record PipelineCase(CaseLevel Root, bool GoOn, IReadOnlyList<int> Choices)
{
    public const int Ports = 3;

    public const int Variants = 4;

    /// <summary>Every step runs.</summary>
    public bool Force { get; init; } = true;

    /// <summary>What every command sees beside its inputs: only runs with the same one can have seen the same.</summary>
    public string? Salt { get; init; }

    public static string Port(int port) => ((char)('a' + port)).ToString();

    public override string ToString()
    {
        var text = new StringBuilder($"continue_on_step_failure={GoOn} force_rerun={Force} salt={Salt} ");
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
            var control = step.Control switch
            {
                { Kind: ControlKind.If } decision => $"if {(decision.Flag is { } flag ? $"s{flag}.flag" : decision.Value)}",
                { } loop => $"{loop.Kind} {loop.Count}/{loop.AtOnce}",
                null => null,
            };
            var branch = step.Branch is { } within ? $"{within.Side} of s{within.If}" : null;
            var variant = !step.Is(ControlKind.If) && step.Inner is null ? $"v{step.Variant}{(step.Gang ? " gang" : "")}" : null;
            text.Append($"{(i == 0 ? "" : " ")}s{i}({string.Join(",", inputs.Append(tag).Append(control).Append(branch).Prepend(variant).OfType<string>())})");
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
        return new PipelineCase(root, random.Next(2) == 0, Choices(random));
    }

    /// <summary>The same pipeline a while later: something of it may have changed, and other things happen to it.</summary>
    public static PipelineCase Later(PipelineCase one, Random random)
    {
        var root = one.Root;
        for (var change = random.Next(3); change > 0; change--)
        {
            var smaller = Smaller(root).ToArray();
            root = random.Next(2) == 0 && smaller.Length > 0 ? smaller[random.Next(smaller.Length)] : Varied(root, random);
        }

        return one with { Root = root, Force = random.Next(6) == 0, Choices = Choices(random) };
    }

    /// <summary>Another command for one of the steps.</summary>
    private static CaseLevel Varied(CaseLevel level, Random random)
    {
        var at = random.Next(level.Steps.Count);
        var step = level.Steps[at];
        var varied = step.Inner is { } inner ? step with { Inner = Varied(inner, random) } : step with { Variant = random.Next(PipelineCase.Variants) };
        return level with { Steps = [.. level.Steps.Take(at), varied, .. level.Steps.Skip(at + 1)] };
    }

    private static int[] Choices(Random random) => [.. Enumerable.Range(0, random.Next(0, 14)).Select(_ => random.Next(0, 10_000))];

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
            int? Decision() => random.Next(2) == 0 ? null : steps.FindLastIndex(step => step.Is(ControlKind.If)) is >= 0 and var last ? last : null;
            CaseControl? Control(ControlKind kind) => new(kind, random.Next(1, 4), random.Next(1, 4), at > 0 && random.Next(2) == 0 ? random.Next(at) : null, random.Next(2) == 0);
            steps.Add(new CaseStep(inputs, tag, i > 0 ? random.Next(i) : 0, inner)
            {
                Control = random.Next(10) switch { 0 or 1 => Control(ControlKind.If), 2 => Control(ControlKind.DoWhile), 3 => Control(ControlKind.ParallelFor), _ => null },
                Branch = Decision() is { } decision ? (decision, random.Next(2) == 0) : null,
                Variant = random.Next(PipelineCase.Variants),
                Gang = random.Next(8) == 0,
            });
        }

        return Whole(new CaseLevel(steps, random.Next(count)));
    }

    /// <summary>The level with everything gone that no pipeline may have: readers of steps without outputs, decisions without blocks, outputs that may not be written.</summary>
    private static CaseLevel Whole(CaseLevel level)
    {
        var steps = level.Steps.ToArray();
        for (var i = 0; i < steps.Length; i++)
        {
            steps[i] = steps[i].Branch is { } branch && !steps[branch.If].Is(ControlKind.If) ? steps[i] with { Branch = null } : steps[i];
        }

        for (var i = 0; i < steps.Length; i++)
        {
            var empty = steps[i].Is(ControlKind.If) && !steps.Any(step => step.Branch?.If == i);
            steps[i] = empty ? steps[i] with { Control = null } : steps[i];
        }

        var output = level.Output;
        if (!steps[output].HasOutput || IsConditional(steps, output))
        {
            output = 0;
            steps[0] = steps[0] with { Control = null };
            for (var i = 1; i < steps.Length; i++)
            {
                steps[i] = steps[i].Branch?.If == 0 ? steps[i] with { Branch = null } : steps[i];
            }
        }

        for (var i = 0; i < steps.Length; i++)
        {
            steps[i] = Whole(steps, steps[i]);
        }

        // What was taken away above may have made the output's step wait for less, never for more.
        return new CaseLevel(steps, output);
    }

    private static CaseStep Whole(CaseStep[] steps, CaseStep step)
    {
        if (step.Control is { Kind: ControlKind.If } decision)
        {
            var plain = decision.Flag is { } flag && steps[flag] is { Control: null, Inner: null };
            return step with { Inputs = [.. step.Inputs.Select(_ => Source.None)], Tag = TagKind.Default, Inner = null, Control = plain ? decision : decision with { Flag = null } };
        }

        return step with
        {
            Inputs = [.. step.Inputs.Select(source => source.Step is { } from && !steps[from].HasOutput ? Source.None : source)],
            Tag = step.Is(ControlKind.ParallelFor) || (step.Tag == TagKind.Sibling && steps[step.Sibling].Control is not null) ? TagKind.Default : step.Tag,
            Control = step.Control is { } loop ? loop with { Flag = null } : null,
        };
    }

    private static bool IsConditional(CaseStep[] steps, int index) => steps[index].Branch is not null || steps[index].Needs.Any(need => IsConditional(steps, need));

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
            yield return Whole(Without(level, i));
        }

        for (var i = 0; i < level.Steps.Count; i++)
        {
            foreach (var step in Smaller(level.Steps[i]))
            {
                yield return Whole(level with { Steps = [.. level.Steps.Take(i), step, .. level.Steps.Skip(i + 1)] });
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

        if (step.Branch is not null)
        {
            yield return step with { Branch = null };
        }

        if (step.Control is { } control)
        {
            yield return step with { Control = null };
            if (control.Count > 1)
            {
                yield return step with { Control = control with { Count = control.Count - 1 } };
            }
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
            Branch = step.Branch is { } branch && branch.If != gone ? (Moved(branch.If, gone), branch.Side) : null,
            Control = step.Control is not { } control ? null : control with { Flag = control.Flag is { } flag && flag != gone ? Moved(flag, gone) : null },
        });
        return new CaseLevel([.. steps], level.Output == gone ? 0 : Moved(level.Output, gone));
    }
}
