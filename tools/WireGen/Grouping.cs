namespace Zaffre.WireGen;

/// <summary>
/// Puts every model into the file of the operation group nearest to it (<c>Jobs</c>, <c>Datastores</c>, ...: the fewest
/// references away), or into <c>Common</c> when several are equally near.
/// </summary>
internal static class Grouping
{
    private const string Shared = "Common";

    public static IReadOnlyDictionary<string, string> Of(ModelSpec spec)
    {
        var group = spec.Models.Keys.ToDictionary(name => name, _ => Shared, StringComparer.Ordinal);
        var distance = new Dictionary<string, int>(StringComparer.Ordinal);
        var wave = spec.Models
            .SelectMany(pair => pair.Value.ResponseOf.Concat(pair.Value.RequestOf).Select(operation => (pair.Key, Group: operation.Split('_')[0])))
            .ToHashSet();
        for (var step = 0; wave.Count > 0; step++)
        {
            var fresh = wave.Where(at => distance.TryAdd(at.Key, step) || distance[at.Key] == step).ToList();
            foreach (var found in fresh.GroupBy(at => at.Key, at => at.Group, StringComparer.Ordinal))
            {
                group[found.Key] = found.Distinct(StringComparer.Ordinal).Take(2).Count() == 1 ? found.First() : Shared;
            }

            wave = fresh.SelectMany(at => Neighbours(spec, at.Key).Select(next => (next, group[at.Key])))
                .Where(at => !distance.ContainsKey(at.next))
                .ToHashSet();
        }

        return group;
    }

    private static IEnumerable<string> Neighbours(ModelSpec spec, string name)
    {
        var model = spec.Models[name];
        return model.Properties.Select(property => TypeNames.Element(property.Type))
            .Concat(model.Discriminator?.Mapping.Values ?? [])
            .Append(model.Base ?? "")
            .Where(spec.Models.ContainsKey);
    }
}
