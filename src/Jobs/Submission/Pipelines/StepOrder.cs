namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>The order in which nodes can be planned and run.</summary>
internal static class StepOrder
{
    /// <summary>
    /// The nodes, each after those that it reads from, otherwise as they were written; a circle is reported with its way and left out.
    /// </summary>
    public static IReadOnlyList<Node> Sort(IReadOnlyList<Node> nodes, string path, Findings findings)
    {
        var byName = nodes.ToDictionary(node => node.Name, StringComparer.Ordinal);
        var needs = nodes.ToDictionary(node => node.Name, node => Sources(node).Where(byName.ContainsKey).Distinct(StringComparer.Ordinal).ToList(), StringComparer.Ordinal);
        var followers = nodes.ToDictionary(node => node.Name, _ => new List<string>(), StringComparer.Ordinal);
        foreach (var (name, sources) in needs)
        {
            sources.ForEach(source => followers[source].Add(name));
        }

        var waits = needs.ToDictionary(pair => pair.Key, pair => pair.Value.Count, StringComparer.Ordinal);
        var ready = new PriorityQueue<string, int>();
        var rank = nodes.Select((node, i) => (node.Name, i)).ToDictionary(pair => pair.Name, pair => pair.i, StringComparer.Ordinal);
        foreach (var node in nodes.Where(node => waits[node.Name] == 0))
        {
            ready.Enqueue(node.Name, rank[node.Name]);
        }

        var sorted = new List<Node>();
        while (ready.TryDequeue(out var name, out _))
        {
            sorted.Add(byName[name]);
            foreach (var follower in followers[name].Where(follower => --waits[follower] == 0))
            {
                ready.Enqueue(follower, rank[follower]);
            }
        }

        if (sorted.Count < nodes.Count)
        {
            ReportCircles(nodes, needs, waits, path, findings);
        }

        return sorted;
    }

    /// <summary>The nodes that a node waits for: those whose outputs or inputs its inputs are bound to, and those that decide about it.</summary>
    public static IEnumerable<string> Sources(Node node) => node.Inputs.Values.Select(input => input.Bound?.Step).OfType<string>().Concat(node.After);

    private static void ReportCircles(IReadOnlyList<Node> nodes, Dictionary<string, List<string>> needs, Dictionary<string, int> waits, string path, Findings findings)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var start in nodes.Select(node => node.Name).Where(name => waits[name] > 0 && !seen.Contains(name)))
        {
            // Every node that is left needs one that is left: going on leads into a circle.
            var way = new List<string>();
            var at = start;
            while (!way.Contains(at) && !seen.Contains(at))
            {
                way.Add(at);
                at = needs[at].First(name => waits[name] > 0);
            }

            seen.UnionWith(way);
            if (way.IndexOf(at) is >= 0 and var from)
            {
                var circle = way.Skip(from).Reverse().ToArray();
                findings.Invalid($"{path}.{circle[0]}", $"the steps wait for each other in a circle: {string.Join(" -> ", circle)} -> {circle[0]}.");
            }
        }
    }
}
