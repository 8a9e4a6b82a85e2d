using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Zaffre.Tracking.Search;

namespace Zaffre.Tests.Unit.Tracking;

/// <summary>A thing that is searched, as the reference sees it: the values it has under each field.</summary>
internal sealed record Searched(string Id)
{
    private readonly Dictionary<(FilterEntity, string), List<object>> values = [];

    public IReadOnlyList<object> this[FilterEntity entity, string key] => values.TryGetValue((entity, key), out var found) ? found : [];

    /// <summary>Adds a text or a number; null adds nothing.</summary>
    public Searched With(FilterEntity entity, string key, object? value)
    {
        if (value is not null)
        {
            if (!values.TryGetValue((entity, key), out var found))
            {
                values[(entity, key)] = found = [];
            }

            found.Add(value is long number ? (double)number : value);
        }

        return this;
    }
}

/// <summary>One comparison; a null check has no value.</summary>
internal sealed record Comparison(FilterEntity Entity, string Key, string Operator, object? Value)
{
    /// <summary>As the grammar writes it.</summary>
    public string Spell() => $"{FilterReference.Name(Entity, Key)} {Operator} " + Value switch
    {
        null => "",
        string text => Quote(text),
        string[] list => "(" + string.Join(", ", list.Select(Quote)) + ")",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        _ => throw new InvalidOperationException(),
    };

    /// <summary>A thing with several values of a field passes when one of them does.</summary>
    public bool Holds(Searched thing) => Operator switch
    {
        "IS NULL" => thing[Entity, Key].Count == 0,
        "IS NOT NULL" => thing[Entity, Key].Count > 0,
        _ => thing[Entity, Key].Any(Holds),
    };

    private bool Holds(object value) => Operator switch
    {
        "=" => value is double number ? number == (double)Value! : (string)value == (string)Value!,
        "!=" => value is double number ? number != (double)Value! : (string)value != (string)Value!,
        ">" => (double)value > (double)Value!,
        ">=" => (double)value >= (double)Value!,
        "<" => (double)value < (double)Value!,
        "<=" => (double)value <= (double)Value!,
        "IN" => ((string[])Value!).Contains((string)value),
        "NOT IN" => !((string[])Value!).Contains((string)value),
        "LIKE" => FilterReference.Like((string)value, (string)Value!),
        "ILIKE" => FilterReference.Like(((string)value).ToUpperInvariant(), ((string)Value!).ToUpperInvariant()),
        "RLIKE" => Regex.IsMatch((string)value, (string)Value!, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)),
        _ => throw new InvalidOperationException(Operator),
    };

    private static string Quote(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}

/// <summary>One key of an order.</summary>
internal sealed record Ordering(FilterEntity Entity, string Key, bool Descending)
{
    public string Spell() => FilterReference.Name(Entity, Key) + (Descending ? " DESC" : "");
}

/// <summary>Fields that may be compared in the same way, with what they are compared to.</summary>
internal sealed record Field(FilterEntity Entity, string[] Keys, string[] Operators, object[] Values)
{
    public static readonly string[] Numeric = ["=", "!=", ">", ">=", "<", "<="];
    public static readonly string[] Text = ["=", "!=", "LIKE", "ILIKE"];
    public static readonly string[] Keyed = [.. Text, "IS NULL", "IS NOT NULL"];
    public static readonly string[] Listed = [.. Text, "IN", "NOT IN"];
}

/// <summary>A kind of search: what it may ask, how it may sort, and in which order things come that the sort leaves open.</summary>
internal sealed record SearchKind(Field[] Fields, (FilterEntity Entity, string[] Keys)[] Sorts, Ordering[] Default);

/// <summary>Filters and orders by chance, and what they must find: written without a look at the SQL.</summary>
internal static class FilterReference
{
    /// <summary>Longer than what the indexes of values hold.</summary>
    private static readonly string Long = new('p', 200);

    /// <summary>Texts that are apt to be confused.</summary>
    public static readonly string[] Texts =
        ["", "a", "A", "ab", "a_b", "a%b", "*", "[x]", "it's", "B\"q", "10", "9", "ü", "Ü", "ab\ncd", "a\\%b", "日本語", "🙂x", "🙂", Long + "a", Long + "b"];

    /// <summary>Patterns of LIKE beside the texts.</summary>
    public static readonly string[] Patterns = ["a%", "%b", "_", "A_b", "%", "__", "%ü%", "\\%", "%\\%%", "日_語", "_x", "%\n%", "[%]", "%%a%"];

    /// <summary>Regular expressions that Python and .NET read alike.</summary>
    public static readonly string[] Expressions = ["^a", "b$", "a.b", "(?i)AB", "[A-C]+", "^$", "\\d{1,2}", "ü|Ü", "p{150,}a$", "日本", "a\\\\%b", "(a|b)*c?", "\\w\\W\\w"];

    /// <summary>From the variable ZAFFRE_SEED, or a new one for each process.</summary>
    public static int Seed { get; } = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SEED"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var given) ? given : Environment.TickCount;

    public static string Name(FilterEntity entity, string key) => entity switch
    {
        FilterEntity.Attribute => key,
        FilterEntity.Param => $"params.\"{key}\"",
        FilterEntity.Tag when !key.Contains(' ', StringComparison.Ordinal) => $"tag.{key}",
        FilterEntity.Span when key.StartsWith("attributes.", StringComparison.Ordinal) => $"span.attributes.`{key["attributes.".Length..]}`",
        FilterEntity.Span or FilterEntity.Issue or FilterEntity.Dataset => $"{entity.ToString().ToLowerInvariant()}.{key}",
        FilterEntity.Metadata or FilterEntity.Feedback or FilterEntity.Expectation => $"{entity.ToString().ToLowerInvariant()}.`{key}`",
        _ => $"{entity.ToString().ToLowerInvariant()}s.`{key}`",
    };

    /// <summary>Asks as many questions as told; <paramref name="search"/> takes a filter, an order and the size of a page, and returns the ids of all pages.</summary>
    public static void Check(SearchKind kind, IReadOnlyList<Searched> things, (int Cases, bool Ordered) what, Func<string, string[], int, IReadOnlyList<string>> search)
    {
        var found = 0;
        for (var i = 0; i < what.Cases; i++)
        {
            var random = new Random(unchecked((Seed * 397) ^ i));
            T Pick<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];
            var terms = Enumerable.Range(0, random.Next(what.Ordered ? 0 : 1, 4)).Select(_ => Term(Pick(kind.Fields), random)).ToArray();
            var order = Enumerable.Range(0, what.Ordered ? random.Next(4) : 0).Select(_ => Pick(kind.Sorts)).Select(sort => new Ordering(sort.Entity, Pick(sort.Keys), random.Next(2) == 0))
                .DistinctBy(sort => (sort.Entity, sort.Key)).ToArray();
            var (filter, top) = (string.Join(random.Next(2) == 0 ? " AND " : " and ", terms.Select(term => term.Spell())), what.Ordered ? random.Next(1, 25) : 1000);
            var expected = Sorted(things.Where(thing => terms.All(term => term.Holds(thing))), [.. order, .. kind.Default.Where(last => !order.Any(sort => sort.Entity == last.Entity && sort.Key == last.Key))]);
            found += expected.Count > 0 && expected.Count < things.Count ? 1 : 0;
            var got = search(filter, [.. order.Select(sort => sort.Spell())], top);
            Assert.True(expected.SequenceEqual(got, StringComparer.Ordinal), $"ZAFFRE_SEED={Seed}, case {i}: {filter} ORDER BY {string.Join(", ", order.Select(sort => sort.Spell()))}, pages of {top}\nexpected {string.Join(' ', expected)}\nfound    {string.Join(' ', got)}");
        }

        Assert.True(found > what.Cases / 10, $"only {found} of {what.Cases} filters found some and not all");
    }

    /// <summary>LIKE by its definition: every character one of the pattern, % any number of them.</summary>
    public static bool Like(string text, string pattern)
    {
        var (characters, wanted) = (text.EnumerateRunes().ToArray(), pattern.EnumerateRunes().ToArray());
        var reached = new bool[characters.Length + 1];
        reached[0] = true;
        foreach (var rune in wanted)
        {
            var next = new bool[characters.Length + 1];
            for (var i = 0; i <= characters.Length; i++)
            {
                next[i] = rune == new Rune('%') ? reached[i] || (i > 0 && next[i - 1]) : i > 0 && reached[i - 1] && (rune == new Rune('_') || rune == characters[i - 1]);
            }

            reached = next;
        }

        return reached[^1];
    }

    private static Comparison Term(Field field, Random random)
    {
        var (key, comparison) = (field.Keys[random.Next(field.Keys.Length)], field.Operators[random.Next(field.Operators.Length)]);
        object Value() => field.Values[random.Next(field.Values.Length)];
        return new Comparison(field.Entity, key, comparison, comparison switch
        {
            "IS NULL" or "IS NOT NULL" => null,
            "IN" or "NOT IN" => Enumerable.Range(0, random.Next(1, 4)).Select(_ => (string)Value()).ToArray(),
            "LIKE" or "ILIKE" => random.Next(2) == 0 ? Value() : Patterns[random.Next(Patterns.Length)],
            "RLIKE" => Expressions[random.Next(Expressions.Length)],
            _ => Value(),
        });
    }

    /// <summary>What has no value comes last and NaN before it, in both directions.</summary>
    private static List<string> Sorted(IEnumerable<Searched> things, IEnumerable<Ordering> order)
    {
        var sorted = things.OrderBy(_ => 0);
        foreach (var sort in order)
        {
            object? First(Searched thing) => thing[sort.Entity, sort.Key] is [var first, ..] ? first : null;
            var comparer = Comparer<object?>.Create((left, right) => (left, right) switch
            {
                (string a, string b) => string.CompareOrdinal(a, b),
                (double a, double b) when !double.IsNaN(a) && !double.IsNaN(b) => a.CompareTo(b),
                _ => 0,
            });
            sorted = sorted.ThenBy(thing => First(thing) switch { null => 2, double.NaN => 1, _ => 0 });
            sorted = sort.Descending ? sorted.ThenByDescending(First, comparer) : sorted.ThenBy(First, comparer);
        }

        return [.. sorted.Select(thing => thing.Id)];
    }
}
