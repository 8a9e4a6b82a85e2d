using System.Globalization;

namespace Zaffre.Tracking.Search;

/// <summary>
/// Reads MLflow's filter grammar: one conjunction of comparisons, no OR, no grouping. Messages are MLflow's where a client or
/// its documentation quotes them.
/// </summary>
internal sealed class FilterParser
{
    private const int LongestFilter = 20_000;
    private const int MostTerms = 100;

    private readonly SearchSchema schema;
    private readonly string source;
    private readonly List<Token> tokens;
    private int position;

    private FilterParser(SearchSchema schema, string source)
    {
        (this.schema, this.source) = (schema, source);
        tokens = FilterLexer.Read(source);
    }

    private Token Current => tokens[position];

    public static IReadOnlyList<FilterTerm> Parse(SearchSchema schema, string? filter)
    {
        if (string.IsNullOrWhiteSpace(filter))
        {
            return [];
        }

        return filter.Length <= LongestFilter
            ? new FilterParser(schema, filter).Filter()
            : throw new FilterException($"Invalid filter string: it has {filter.Length} characters, at most {LongestFilter} are read.");
    }

    public static IReadOnlyList<SortTerm> ParseOrder(SearchSchema schema, IReadOnlyList<string> clauses)
    {
        var order = new List<SortTerm>();
        var seen = new HashSet<(FilterEntity, string)>();
        foreach (var clause in clauses.Take(MostTerms))
        {
            var term = new FilterParser(schema, clause).Sort();
            if (!seen.Add((term.Entity, term.Key)))
            {
                throw new FilterException($"`order_by` contains duplicate fields: {clauses.Count} clauses name '{term.Key}' more than once");
            }

            order.Add(term);
        }

        return order;
    }

    private List<FilterTerm> Filter()
    {
        var terms = new List<FilterTerm> { Comparison() };
        while (Current.Kind != TokenKind.End)
        {
            if (!Current.IsWord("and"))
            {
                throw new FilterException($"Invalid clause(s) in filter string: '{Current.Raw}'");
            }

            position++;
            terms.Add(Comparison());
        }

        return terms.Count <= MostTerms
            ? terms
            : throw new FilterException($"Invalid filter string: it has {terms.Count} comparisons, at most {MostTerms} are read.");
    }

    private SortTerm Sort()
    {
        if (Current.Kind == TokenKind.End)
        {
            throw new FilterException($"Invalid order_by clause '{source}'. Could not be parsed.");
        }

        var (entity, key) = Identifier(sorting: true);
        var descending = Current.IsWord("desc");
        position += descending || Current.IsWord("asc") ? 1 : 0;
        return Current.Kind == TokenKind.End
            ? new SortTerm(entity, key, descending)
            : throw new FilterException($"Invalid ordering key in order_by clause '{source}'.");
    }

    private FilterTerm Comparison()
    {
        var (entity, key) = Identifier(sorting: false);
        var comparison = Operator();
        Check(entity, key, comparison);
        var term = new FilterTerm(entity, key, comparison);
        return comparison switch
        {
            FilterOperator.IsNull or FilterOperator.IsNotNull => term,
            FilterOperator.In or FilterOperator.NotIn => term with { List = List() },
            _ when IsNumeric(entity, key) => term with { Number = Number(entity, key) },
            FilterOperator.RLike => term with { Text = Expression(entity, key) },
            _ => term with { Text = Text(entity, key) },
        };
    }

    private (FilterEntity Entity, string Key) Identifier(bool sorting)
    {
        var token = Current;
        if (token.Kind is not (TokenKind.Word or TokenKind.Quoted))
        {
            throw new FilterException($"Invalid clause(s) in filter string: '{(token.Kind == TokenKind.End ? source : token.Raw)}'");
        }

        position++;
        var dot = token.Kind == TokenKind.Word ? token.Value.IndexOf('.', StringComparison.Ordinal) : -1;
        if (dot < 0)
        {
            return (FilterEntity.Attribute, Attribute(token.Value, sorting));
        }

        var (name, key) = (token.Value[..dot], token.Value[(dot + 1)..]);
        if (!schema.Entities.TryGetValue(name, out var entity))
        {
            throw new FilterException($"Invalid entity type '{name}'. Valid values are {Names(schema.Entities.Keys)}");
        }

        if (entity == FilterEntity.Dataset && (sorting || !SearchSchema.DatasetKeys.Contains(key)))
        {
            throw new FilterException(sorting ? $"Invalid order_by entity '{name}'." : $"Invalid dataset key '{key}' specified. Valid keys are {Names(SearchSchema.DatasetKeys)}");
        }

        if (sorting && entity is FilterEntity.Span or FilterEntity.Feedback or FilterEntity.Expectation or FilterEntity.Issue)
        {
            throw new FilterException($"Invalid order_by entity '{name}'.");
        }

        if (entity == FilterEntity.Span && !SearchSchema.SpanKeys.Contains(key) && !(key.StartsWith(SearchSchema.SpanAttribute, StringComparison.Ordinal) && key.Length > SearchSchema.SpanAttribute.Length))
        {
            throw new FilterException($"Invalid span key '{key}' specified. Valid keys are {Names(SearchSchema.SpanKeys.Append("attributes.<name>"))}");
        }

        if (entity == FilterEntity.Issue && key != "id")
        {
            throw new FilterException($"Invalid issue key '{key}' specified. Valid keys are ['id']");
        }

        return entity == FilterEntity.Attribute ? (entity, Attribute(key, sorting))
            : key.Length > 0 ? (entity, key)
            : throw new FilterException($"Invalid identifier '{token.Raw}'. Columns should be specified as 'attribute.<key>', 'metric.<key>', 'tag.<key>', or 'param.<key>'.");
    }

    private string Attribute(string name, bool sorting)
    {
        var key = schema.Aliases.GetValueOrDefault(name, name);
        return schema.TextAttributes.Contains(key) || schema.NumericAttributes.Contains(key) || (sorting && schema.SortOnlyAttributes.Contains(key))
            ? key
            : throw new FilterException($"Invalid attribute key '{name}' specified. Valid keys are {Names(schema.TextAttributes.Concat(schema.NumericAttributes).Concat(sorting ? schema.SortOnlyAttributes : []))}");
    }

    private FilterOperator Operator()
    {
        var token = tokens[position++];
        var negated = token.IsWord("not");
        if (negated)
        {
            token = tokens[position++];
        }

        if (token.IsWord("is") && !negated)
        {
            negated = Current.IsWord("not");
            position += negated ? 1 : 0;
            return !tokens[position++].IsWord("null") ? throw Bad(token)
                : negated ? FilterOperator.IsNotNull : FilterOperator.IsNull;
        }

        return token.Value.ToUpperInvariant() switch
        {
            "IN" when token.Kind == TokenKind.Word => negated ? FilterOperator.NotIn : FilterOperator.In,
            _ when negated => throw Bad(token),
            "RLIKE" when token.Kind == TokenKind.Word && schema.RegularExpressions => FilterOperator.RLike,
            "LIKE" when token.Kind == TokenKind.Word => FilterOperator.Like,
            "ILIKE" when token.Kind == TokenKind.Word => FilterOperator.ILike,
            "=" when token.Kind == TokenKind.Operator => FilterOperator.Equal,
            "!=" when token.Kind == TokenKind.Operator => FilterOperator.NotEqual,
            ">" when token.Kind == TokenKind.Operator => FilterOperator.Greater,
            ">=" when token.Kind == TokenKind.Operator => FilterOperator.GreaterOrEqual,
            "<" when token.Kind == TokenKind.Operator => FilterOperator.Less,
            "<=" when token.Kind == TokenKind.Operator => FilterOperator.LessOrEqual,
            _ => throw Bad(token),
        };
    }

    private FilterException Bad(Token token)
    {
        position = Math.Min(position, tokens.Count - 1);
        return token.Kind == TokenKind.End
            ? new FilterException($"Invalid filter string: a comparison is not complete in '{source}'")
            : new FilterException($"Invalid comparison operator '{token.Raw}' in filter string: '{source}'");
    }

    private bool IsNumeric(FilterEntity entity, string key) =>
        entity == FilterEntity.Metric || (entity == FilterEntity.Attribute && schema.NumericAttributes.Contains(key));

    private bool IsLong(FilterEntity entity, string key) =>
        (entity == FilterEntity.Span && key == "content") || (entity == FilterEntity.Attribute && schema.LongAttributes.Contains(key));

    private void Check(FilterEntity entity, string key, FilterOperator comparison)
    {
        var allowed = comparison switch
        {
            FilterOperator.Equal when entity == FilterEntity.Issue => true,
            _ when entity == FilterEntity.Issue => false,
            FilterOperator.Like or FilterOperator.ILike => !IsNumeric(entity, key),
            _ when IsLong(entity, key) => false,
            FilterOperator.Equal or FilterOperator.NotEqual => true,
            FilterOperator.RLike => !IsNumeric(entity, key),
            FilterOperator.IsNull or FilterOperator.IsNotNull => entity is not (FilterEntity.Attribute or FilterEntity.Metric or FilterEntity.Dataset or FilterEntity.Span),
            FilterOperator.In or FilterOperator.NotIn => entity is FilterEntity.Dataset or FilterEntity.Span || (entity == FilterEntity.Attribute && schema.ListAttributes.Contains(key))
                ? true
                : throw new FilterException($"Only the {Names(schema.ListAttributes)} attribute supports comparison with a list of quoted string values."),
            _ => IsNumeric(entity, key),
        };
        if (!allowed)
        {
            throw new FilterException($"Invalid comparison operator '{Spell(comparison)}' for {Spell(entity)} '{key}'.");
        }
    }

    private double Number(FilterEntity entity, string key)
    {
        var token = tokens[position];
        if (token.Kind != TokenKind.Number)
        {
            throw new FilterException(entity == FilterEntity.Metric
                ? $"Expected numeric value type for metric. Found {token.Raw}"
                : $"Expected numeric value type for numeric attribute: {key}. Found {token.Raw}");
        }

        position++;
        return double.Parse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    private string Text(FilterEntity entity, string key)
    {
        var token = tokens[position];
        if (token.Kind is not (TokenKind.Text or TokenKind.Quoted) || token.Raw[0] == '`')
        {
            throw new FilterException(entity == FilterEntity.Attribute
                ? $"Expected a quoted string value for attributes. Got value {token.Raw}"
                : $"Expected a quoted string value for {(entity == FilterEntity.Param ? "parameter" : Spell(entity))} (e.g. 'my-value'). Got value {token.Raw}");
        }

        position++;
        return token.Value;
    }

    private string Expression(FilterEntity entity, string key)
    {
        var expression = Text(entity, key);
        return Patterns.Fault(expression) is { } fault
            ? throw new FilterException($"Invalid regular expression '{(expression.Length > 60 ? expression[..60] + "..." : expression)}' for RLIKE: {fault}.")
            : expression;
    }

    private List<string> List()
    {
        const string Expected = "Expected a non-empty list of quoted string values, such as ('a', 'b').";
        var values = new List<string>();
        var separator = tokens[position++].Kind == TokenKind.Open;
        while (separator)
        {
            if (Current.Kind is not (TokenKind.Text or TokenKind.Quoted) || Current.Raw[0] == '`')
            {
                throw new FilterException(Expected);
            }

            values.Add(tokens[position++].Value);
            separator = Current.Kind == TokenKind.Comma;
            position += separator ? 1 : 0;
        }

        return values.Count > 0 && tokens[position++].Kind == TokenKind.Close ? values : throw new FilterException(Expected);
    }

    private static string Names(IEnumerable<string> names) => "[" + string.Join(", ", names.Select(name => $"'{name}'")) + "]";

    private static string Spell(FilterEntity entity) => entity.ToString().ToLowerInvariant();

    private static string Spell(FilterOperator comparison) => comparison switch
    {
        FilterOperator.Equal => "=",
        FilterOperator.NotEqual => "!=",
        FilterOperator.Greater => ">",
        FilterOperator.GreaterOrEqual => ">=",
        FilterOperator.Less => "<",
        FilterOperator.LessOrEqual => "<=",
        FilterOperator.Like => "LIKE",
        FilterOperator.ILike => "ILIKE",
        FilterOperator.RLike => "RLIKE",
        FilterOperator.In => "IN",
        FilterOperator.NotIn => "NOT IN",
        FilterOperator.IsNull => "IS NULL",
        _ => "IS NOT NULL",
    };
}
