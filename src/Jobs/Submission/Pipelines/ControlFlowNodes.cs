namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>
/// Puts the nodes that decide or repeat in their place: a body goes into its loop, which stands for it; the steps of a block wait for their
/// <c>if_else</c>. What is named wrongly is reported.
/// </summary>
internal static class ControlFlowNodes
{
    /// <summary>The nodes without the bodies of loops. <paramref name="names"/> are those of all, also of such as could not be read.</summary>
    public static IReadOnlyList<Node> Arrange(IReadOnlyList<Node> nodes, IReadOnlyCollection<string> names, Findings findings)
    {
        if (nodes.All(node => node.Control is null))
        {
            return nodes;
        }

        var byName = nodes.ToDictionary(node => node.Name, StringComparer.Ordinal);
        var loops = Bodies(nodes, byName, names, findings);
        var waits = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (var node in nodes.Where(node => node.Control is IfElse))
        {
            Blocks(node, (IfElse)node.Control!, (names, loops), waits, findings);
        }

        var arranged = new List<Node>();
        foreach (var node in nodes.Where(node => !loops.ContainsKey(node.Name)))
        {
            var whole = node.Control is Loop { BodyName: { } body } loop && loops.GetValueOrDefault(body) == node.Name ? WithBody(node, loop, byName[body]) : node;
            var after = whole.After.Concat(waits.GetValueOrDefault(node.Name) ?? []).ToHashSet(StringComparer.Ordinal);
            after.UnionWith(StepOrder.Sources(whole).Where(loops.ContainsKey).Select(name => loops[name]).ToArray());
            arranged.Add(whole with { After = after });
        }

        return arranged;
    }

    /// <summary>Body to loop.</summary>
    private static Dictionary<string, string> Bodies(IReadOnlyList<Node> nodes, Dictionary<string, Node> byName, IReadOnlyCollection<string> names, Findings findings)
    {
        var loops = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            if (node.Control is not Loop { BodyName: { } body })
            {
                continue;
            }

            var path = $"{node.Path}.body";
            if (!byName.TryGetValue(body, out var step))
            {
                if (!names.Contains(body))
                {
                    findings.Invalid(path, $"the body '{body}' is no step of the pipeline; {Interface.Has(names)}.");
                }
            }
            else if (step.Control is not null)
            {
                findings.Invalid(path, $"the body '{body}' is a control flow step itself; a body runs a command or pipeline component. Put it into a pipeline component.");
            }
            else if (!loops.TryAdd(body, node.Name))
            {
                findings.Invalid(path, $"the step '{body}' is the body of '{loops[body]}' already; a step is repeated by one loop.");
            }
        }

        return loops;
    }

    private static void Blocks(
        Node node, IfElse control, (IReadOnlyCollection<string> Names, Dictionary<string, string> Loops) known, Dictionary<string, HashSet<string>> waits, Findings findings)
    {
        foreach (var (step, member) in control.True.Select(step => (step, "true_block")).Concat(control.False.Select(step => (step, "false_block"))))
        {
            var path = $"{node.Path}.{member}";
            if (known.Loops.TryGetValue(step, out var loop))
            {
                findings.Invalid(path, $"the step '{step}' is the body of the loop '{loop}'; name the loop.");
            }
            else if (!known.Names.Contains(step))
            {
                findings.Invalid(path, $"there is no step '{step}' in the pipeline; {Interface.Has(known.Names)}.");
            }
            else if (!waits.TryAdd(step, [node.Name]) && !waits[step].Add(node.Name))
            {
                findings.Invalid(path, $"the step '{step}' is named twice.");
            }
            else if (waits[step].Count > 1)
            {
                findings.Invalid(path, $"the step '{step}' stands in the blocks of {string.Join(" and ", waits[step])}; one if_else decides about a step.");
            }
        }
    }

    /// <summary>The loop takes what its body is given; a <c>do_while</c> also writes what its body writes.</summary>
    private static Node WithBody(Node node, Loop loop, Node body) => node with
    {
        Control = loop with { Body = body },
        ComponentId = body.ComponentId,
        Inputs = body.Inputs,
        Outputs = loop is DoWhile ? body.Outputs : node.Outputs,
        After = node.After.Concat(body.After).ToHashSet(StringComparer.Ordinal),
    };
}
