using System.Text.Json.Nodes;
using Dapper;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Jobs.Data;

/// <summary>The index behind filtered lists of jobs: which jobs of a workspace have a type, a tag, a property, or a value of one.</summary>
internal sealed class JobFacets(IDatabase database) : IResourceIndex, IScopedDeletion
{
    private const char Between = '\u001F';
    private const string Tag = "tag";
    private const string Property = "property";

    /// <summary>The facets that a list's parameters ask for, the rarest kind first: values, names, the type.</summary>
    public static IReadOnlyList<string> Asked(string jobType, string tags, string properties) =>
    [
        .. Terms(Tag, tags).Concat(Terms(Property, properties)).OrderByDescending(facet => facet.Contains(Between, StringComparison.Ordinal)),
        .. jobType.Length == 0 ? Array.Empty<string>() : [TypeOf(jobType)],
    ];

    /// <summary>The sequences of the jobs that have all facets, newest or oldest first, from <paramref name="from"/> on.</summary>
    public Task<IReadOnlyList<long>> PageAsync(ResourceQuery query, IReadOnlyList<string> facets, (long? After, int Skip) from, CancellationToken ct)
    {
        var parameters = new DynamicParameters(new { parent = query.Parent.Key, limit = query.Top + 1, after = from.After, skip = from.Skip });
        for (var i = 0; i < facets.Count; i++)
        {
            parameters.Add($"facet{i}", facets[i]);
        }

        return database.ReadAsync<IReadOnlyList<long>>(connection => connection.Query<long>(PageSql(query, facets.Count, from.After is not null), parameters).AsList(), ct);
    }

    internal static string PageSql(ResourceQuery query, int facets, bool continued)
    {
        var (sign, order) = query.NewestFirst ? ("<", "DESC") : (">", "ASC");
        var archived = query.View switch { ListView.ActiveOnly => " AND f.archived = 0", ListView.ArchivedOnly => " AND f.archived = 1", _ => "" };
        var others = string.Concat(Enumerable.Range(1, facets - 1).Select(i => $" AND EXISTS (SELECT 1 FROM job_facets g WHERE g.parent = @parent AND g.facet = @facet{i} AND g.sequence = f.sequence)"));
        return $"SELECT f.sequence FROM job_facets f WHERE f.parent = @parent AND f.facet = @facet0{(continued ? $" AND f.sequence {sign} @after" : "")}{archived}{others} ORDER BY f.sequence {order} LIMIT @limit OFFSET @skip";
    }

    /// <inheritdoc/>
    public void OnPut(WriteScope scope, Resource resource)
    {
        if (!resource.Id.Type.EndsWith("/workspaces/jobs", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        if (resource.Revision != resource.Sequence << 20)
        {
            scope.Execute("DELETE FROM job_facets WHERE sequence = @sequence", new { sequence = resource.Sequence });
        }

        foreach (var facet in FacetsOf(resource.Properties).Distinct(StringComparer.Ordinal))
        {
            scope.Execute(
                "INSERT INTO job_facets (parent, facet, sequence, archived) VALUES (@parent, @facet, @sequence, @archived)",
                new { parent = resource.Id.Parent.Key, facet, sequence = resource.Sequence, archived = resource.Archived ? 1 : 0 });
        }
    }

    /// <inheritdoc/>
    public void Delete(WriteScope write, ArmId scope) => write.Execute(
        "DELETE FROM job_facets WHERE sequence IN (SELECT sequence FROM resources WHERE key = @key OR (key > @below AND key < @past))",
        new { key = scope.Key, below = scope.Key + "/", past = scope.Key + "0" });

    private static IEnumerable<string> FacetsOf(JsonObject properties) =>
        (properties.Text("jobType") is { } type ? [TypeOf(type)] : Array.Empty<string>())
        .Concat(MapFacets(Tag, properties.Object("tags"))).Concat(MapFacets(Property, properties.Object("properties")));

    private static IEnumerable<string> MapFacets(string kind, JsonObject? map)
    {
        foreach (var (name, value) in map ?? [])
        {
            yield return $"{kind}?{name}";
            if (ZaffreJson.Text(value) is { } text)
            {
                yield return $"{kind}={name}{Between}{text}";
            }
        }
    }

    // As ListParameters.Holds reads them.
    private static IEnumerable<string> Terms(string kind, string filter) =>
        filter.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(term =>
            term.Split('=', 2) is [var name, var value] ? $"{kind}={name}{Between}{value}" : $"{kind}?{term}");

    private static string TypeOf(string jobType) => "type=" + jobType.ToLowerInvariant();
}
