using Zaffre.Tracking.Search;

namespace Zaffre.Tests.Unit.Tracking;

public sealed class FilterParserTests
{
    [Theory]
    [InlineData("metrics.`val loss` < 0.5 and params.\"a b\" = 'x' AND tags.mlflow.user != \"me\"", 3)]
    [InlineData("run_id IN ('a','b')", 1)]
    [InlineData("attributes.run_id not in ( 'a' )", 1)]
    [InlineData("`Run name` LIKE '%x%'", 1)]
    [InlineData("tags.x IS NULL and params.y is not null", 2)]
    [InlineData("created > 5 and end_time<=1.5e12 and metric.a=-1", 3)]
    [InlineData("params.q = 'it''s' ", 1)]
    [InlineData("  ", 0)]
    public void A_filter_of_the_grammar_is_read(string filter, int terms) => Assert.Equal(terms, FilterParser.Parse(SearchSchema.Runs, filter).Count);

    [Theory]
    [InlineData("metrics.a > 1 or metrics.b > 1", "Invalid clause(s) in filter string: 'or'")]
    [InlineData("params.a = 1", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1")]
    [InlineData("metrics.a = 'x'", "Expected numeric value type for metric. Found 'x'")]
    [InlineData("foo = 'x'", "Invalid attribute key 'foo' specified. Valid keys are")]
    [InlineData("metics.a > 1", "Invalid entity type 'metics'")]
    [InlineData("status IN ('RUNNING')", "Only the ['run_id'] attribute supports comparison with a list")]
    [InlineData("run_id IN ()", "Expected a non-empty list")]
    [InlineData("run_id IN ('a'", "Expected a non-empty list")]
    [InlineData("metrics.a LIKE 'x'", "Invalid comparison operator 'LIKE' for metric")]
    [InlineData("params.a > 'x'", "Invalid comparison operator '>' for param")]
    [InlineData("status IS NULL", "Invalid comparison operator 'IS NULL' for attribute")]
    [InlineData("metrics.a", "Invalid filter string: a comparison is not complete")]
    [InlineData("metrics.a >", "Expected numeric value type for metric")]
    [InlineData("(metrics.a > 1)", "Invalid clause(s) in filter string: '('")]
    [InlineData("metrics.a == 1", "Invalid comparison operator '=='")]
    [InlineData("params.a = 'x", "a quote is not closed")]
    [InlineData("params.a = 'x'; DROP TABLE runs", "Invalid clause(s) in filter string")]
    [InlineData("datasets.size = 'x'", "Invalid dataset key 'size' specified")]
    [InlineData("params. = 'x'", "Invalid identifier")]
    [InlineData("params.a NOT LIKE 'x'", "Invalid comparison operator 'LIKE'")]
    [InlineData("params.a not", "a comparison is not complete")]
    [InlineData("params.a is", "Invalid comparison operator 'is'")]
    public void What_is_not_of_the_grammar_is_refused_by_name(string filter, string message) =>
        Assert.Contains(message, Assert.Throws<FilterException>(() => FilterParser.Parse(SearchSchema.Runs, filter)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("metrics.a DESC", true)]
    [InlineData("metrics.`a b` asc", true)]
    [InlineData("start_time", true)]
    [InlineData("metrics.a DOWN", false)]
    [InlineData("", false)]
    [InlineData("nothing", false)]
    public void An_order_is_read_or_refused(string clause, bool valid)
    {
        void Read() => FilterParser.ParseOrder(SearchSchema.Runs, [clause]);
        if (valid)
        {
            Read();
        }
        else
        {
            Assert.Throws<FilterException>(Read);
        }
    }

    [Fact]
    public void An_order_names_a_field_once() =>
        Assert.Throws<FilterException>(() => FilterParser.ParseOrder(SearchSchema.Runs, ["start_time", "attribute.start_time DESC"]));

    [Fact]
    public void Garbage_is_refused_and_nothing_else_happens()
    {
        const string Alphabet = "ab.=!<>'\"`(), %_-1 andisnotnullin";
        var random = new Random(5);
        for (var i = 0; i < 20_000; i++)
        {
            var filter = new string([.. Enumerable.Range(0, random.Next(30)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            foreach (var candidate in new[] { filter, "metrics.a " + filter, "params.a = 'b' and " + filter, "run_id in (" + filter })
            {
                try
                {
                    FilterParser.Parse(SearchSchema.Runs, candidate);
                }
                catch (FilterException refused)
                {
                    Assert.NotEmpty(refused.Message);
                }
            }
        }
    }
}
