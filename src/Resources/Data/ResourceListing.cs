using System.Data.Common;
using System.Globalization;
using System.Text;
using Dapper;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Resources;

/// <summary>
/// Pages of a parent's children. A continuation holds the order's key of the last item given out: <c>k17</c> continues after sequence 17,
/// <c>m1700000000000.17</c> after that time of modification, <c>n...</c> after a key in hexadecimal digits. A bare number is an offset, for callers that count.
/// </summary>
internal sealed class ResourceListing(ResourceQuery query)
{
    private readonly string sign = query.NewestFirst ? "<" : ">";
    private readonly string direction = query.NewestFirst ? "DESC" : "ASC";

    private readonly record struct Place(long Sequence, long Modified, string Key)
    {
        public static Place Of(ResourceRow row) => new(row.Sequence, row.ModifiedAt, new ArmId(row.Id).Key);
    }

    public Page<Resource> Read(DbConnection connection, CancellationToken ct)
    {
        var (after, skip) = Start();
        var found = new List<Resource>();
        Place last = default;
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            var limit = Math.Max(query.Top + skip + 1 - found.Count, 100);
            var rows = Rows(connection, after, limit);
            foreach (var row in rows)
            {
                var resource = row.ToResource();
                if (!(query.Where?.Invoke(resource) ?? true))
                {
                    continue;
                }

                if (skip > 0)
                {
                    skip--;
                    continue;
                }

                if (found.Count == query.Top)
                {
                    return new Page<Resource>(found, Continuation(last));
                }

                found.Add(resource);
                last = Place.Of(row);
            }

            if (rows.Count < limit)
            {
                return new Page<Resource>(found, null);
            }

            after = Place.Of(rows[^1]);
        }
    }

    private List<ResourceRow> Rows(DbConnection connection, Place? after, int limit)
    {
        var collection = $"{query.Parent.Key}/{query.Type.ToLowerInvariant()}";
        return connection.Query<ResourceRow>(
            Sql(after is not null),
            new { parent = query.Parent.Key, type = query.Type.ToLowerInvariant(), low = collection + "/", high = collection + "0", after?.Sequence, after?.Modified, after?.Key, limit }).AsList();
    }

    /// <summary>The statement of a page, the first one or (<paramref name="continued"/>) a later one.</summary>
    internal string Sql(bool continued)
    {
        var (past, order) = query.Order switch
        {
            ResourceOrder.Modified => ($"AND (modified_at, sequence) {sign} (@Modified, @Sequence)", $"modified_at {direction}, sequence {direction}"),
            ResourceOrder.Name => ($"AND key {sign} @Key", $"key {direction}"),
            _ => ($"AND sequence {sign} @Sequence", $"sequence {direction}"),
        };

        // '0' follows '/' in ordinal order: the range holds every key below this collection, so that an order by key reads no other. The signs keep
        // SQLite from the index of parents, by which it would have to sort them all.
        var (range, plus) = query.Order == ResourceOrder.Name ? ("AND key > @low AND key < @high", "+") : ("", "");
        string Part(string archived) => $"SELECT {ResourceRow.Columns} FROM resources WHERE {plus}parent = @parent AND {plus}type = @type {archived} {range} {(continued ? past : "")} ORDER BY {order} LIMIT @limit";
        return query.View switch
        {
            ListView.ActiveOnly => Part("AND archived = 0"),
            ListView.ArchivedOnly => Part("AND archived = 1"),

            // The indexes are ordered within each kind: both are read in order and merged, instead of sorting all of them.
            _ when query.Order != ResourceOrder.Name => $"SELECT * FROM ({Part("AND archived = 0")}) UNION ALL SELECT * FROM ({Part("AND archived = 1")}) ORDER BY {order} LIMIT @limit",
            _ => Part(""),
        };
    }

    private string Continuation(Place last) => query.Order switch
    {
        ResourceOrder.Modified => string.Create(CultureInfo.InvariantCulture, $"m{last.Modified}.{last.Sequence}"),
        ResourceOrder.Name => "n" + Convert.ToHexStringLower(Encoding.UTF8.GetBytes(last.Key)),
        _ => string.Create(CultureInfo.InvariantCulture, $"k{last.Sequence}"),
    };

    private (Place? After, int Skip) Start()
    {
        if (string.IsNullOrEmpty(query.Continuation))
        {
            return (null, 0);
        }

        if (int.TryParse(query.Continuation, NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
        {
            return (null, offset);
        }

        return (Parse(query.Continuation) ?? throw new ProblemException(ArmErrors.Invalid($"'{query.Continuation}' is not a continuation that this list gave out.", "$skip")), 0);
    }

    private Place? Parse(string text) => (query.Order, text[0]) switch
    {
        (ResourceOrder.Created, 'k') when Number(text[1..]) is { } sequence => new Place(sequence, 0, ""),
        (ResourceOrder.Modified, 'm') when text[1..].Split('.') is [var modified, var tie] && Number(modified) is { } time && Number(tie) is { } sequence => new Place(sequence, time, ""),
        (ResourceOrder.Name, 'n') when text.Length % 2 == 1 && text.Skip(1).All(char.IsAsciiHexDigitLower) => new Place(0, 0, Encoding.UTF8.GetString(Convert.FromHexString(text[1..]))),
        _ => null,
    };

    private static long? Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
