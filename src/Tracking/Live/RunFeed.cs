using System.Collections.Concurrent;
using System.Collections.Immutable;
using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Live;

/// <summary>What a reader follows: one run, or every run of an experiment, by the keys of the store.</summary>
internal readonly record struct FeedSubject(bool IsExperiment, long Key);

/// <summary>What one unit wrote about a subject.</summary>
internal sealed record FeedUnit(long Sequence, IReadOnlyList<FeedPart> Parts)
{
    public int Weight { get; } = Parts.Sum(part => part.Weight);
}

/// <summary>
/// Hands what units commit to those who follow runs. Costs a look into a dictionary when nobody follows; a reader that does not keep up is told to read from the store, and
/// holds up nobody. Thread safe.
/// </summary>
internal sealed class RunFeed : ICommitListener
{
    private readonly ConcurrentDictionary<FeedSubject, ImmutableArray<FeedSubscription>> readers = new();

    /// <summary>Follows a subject until the subscription is disposed. What is committed after this call reaches it.</summary>
    public FeedSubscription Subscribe(FeedSubject subject)
    {
        var subscription = new FeedSubscription(one => Leave(subject, one));
        readers.AddOrUpdate(subject, [subscription], (_, others) => others.Add(subscription));
        return subscription;
    }

    /// <summary>How many follow something.</summary>
    public int Count => readers.Values.Sum(all => all.Length);

    public void Committed(long sequence, IReadOnlyList<object> announced)
    {
        if (readers.IsEmpty)
        {
            return;
        }

        var changes = announced.OfType<RunChange>().ToList();
        foreach (var subject in changes.SelectMany(change => new[] { new FeedSubject(false, change.Run.Key), new FeedSubject(true, change.Run.Experiment) }).Distinct())
        {
            if (readers.TryGetValue(subject, out var followers))
            {
                var unit = new FeedUnit(sequence, Parts(sequence, changes.Where(change => (subject.IsExperiment ? change.Run.Experiment : change.Run.Key) == subject.Key)));
                foreach (var follower in followers)
                {
                    follower.Offer(unit);
                }
            }
        }

        if (announced.Any(what => what is RunsGone))
        {
            foreach (var follower in readers.Values.SelectMany(all => all))
            {
                follower.Doubt();
            }
        }
    }

    /// <summary>The events of a unit, in the order in which the store gives them.</summary>
    private static List<FeedPart> Parts(long sequence, IEnumerable<RunChange> changes)
    {
        var parts = new List<FeedPart>();
        foreach (var run in changes.GroupBy(change => change.Run.Key).OrderBy(group => group.Key))
        {
            var (row, all) = (run.First().Run, run.ToList());
            var values = all.SelectMany(change => change.Params ?? []).ToList();
            if (values.Count > 0)
            {
                parts.Add(FeedPart.OfParams(row, values));
            }

            if (all.Any(change => change.Tags is not null || change.GoneTag is not null))
            {
                parts.Add(Tags(row, all));
            }

            if (all.Any(change => change.Points is not null))
            {
                parts.Add(FeedPart.OfPoints(row, [.. all.SelectMany(change => change.Points ?? [])]));
            }

            parts.AddRange(all.Where(change => change.Move is not null).Select(change => change.Move!).GroupBy(move => move.Status).Select(moves => moves.Last()).OrderBy(move => move.Status)
                .Select(move => FeedPart.OfMove(row, sequence, move)));
        }

        return parts;
    }

    private static FeedPart Tags(RunRow run, IReadOnlyList<RunChange> changes)
    {
        var tags = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        foreach (var change in changes)
        {
            foreach (var (name, value) in change.Tags ?? [])
            {
                tags[name] = value;
            }

            if (change.GoneTag is { } gone)
            {
                tags[gone] = null;
            }
        }

        return FeedPart.OfTags(run, [.. tags.Where(tag => tag.Value is not null).Select(tag => (tag.Key, tag.Value!))], [.. tags.Where(tag => tag.Value is null).Select(tag => tag.Key)]);
    }

    private void Leave(FeedSubject subject, FeedSubscription subscription)
    {
        while (readers.TryGetValue(subject, out var all))
        {
            var rest = all.Remove(subscription);
            if (rest.IsEmpty ? readers.TryRemove(KeyValuePair.Create(subject, all)) : readers.TryUpdate(subject, rest, all))
            {
                return;
            }
        }
    }
}
