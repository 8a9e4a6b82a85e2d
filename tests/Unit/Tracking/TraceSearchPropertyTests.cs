using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Search;
using Zaffre.Tracking.Traces;

namespace Zaffre.Tests.Unit.Tracking;

/// <summary>Random filters over random traces: tags, metadata, assessments, spans and their attributes, regular expressions.</summary>
public sealed class TraceSearchPropertyTests : IAsyncLifetime, IDisposable
{
    private const int Traces = 50;
    private static readonly string[] Keys = ["a", "b c", "x.y"];
    private static readonly string[] Scores = ["true", "false", "1", "0.5", "yes", "a_b", "Ü"];
    private static readonly string[] SpanNames = ["root", "llm", "Tool_1", "日本", ""];
    private static readonly string[] AttributeNames = ["model", "llm.temperature", "a b"];
    private static readonly string[] Expressible = [.. Field.Text, "RLIKE"];
    private static readonly string[] KeyedAndExpressible = [.. Field.Keyed, "RLIKE"];
    private static readonly string[] ListedAndExpressible = [.. Field.Listed, "RLIKE"];

    private static readonly SearchKind Kind = new(
        [
            new(FilterEntity.Tag, Keys, KeyedAndExpressible, FilterReference.Texts),
            new(FilterEntity.Metadata, Keys, KeyedAndExpressible, FilterReference.Texts),
            new(FilterEntity.Feedback, Keys, KeyedAndExpressible, Scores),
            new(FilterEntity.Expectation, Keys, KeyedAndExpressible, Scores),
            new(FilterEntity.Attribute, ["request_id", "status", "client_request_id", "name", "run_id"], ListedAndExpressible, [.. FilterReference.Texts, "OK", "ERROR", "run-1", "run-2", "tr-1", "tr-2"]),
            new(FilterEntity.Attribute, ["prompt"], Expressible, ["greet/1", "greet/2", "%/1", "p%"]),
            new(FilterEntity.Attribute, ["text"], ["LIKE", "ILIKE"], ["%llm%", "%LLM%", "%\"model\"%", "%日本%"]),
            new(FilterEntity.Attribute, ["timestamp_ms", "execution_time", "end_time_ms"], Field.Numeric, [0d, 3d, 5d, 8d, 12d]),
            new(FilterEntity.Span, ["name", "type", "status", .. AttributeNames.Select(name => "attributes." + name)], ListedAndExpressible, [.. SpanNames, "LLM", "OK", "UNSET", "1.5", "true", "gpt 'x'", "[1]"]),
            new(FilterEntity.Span, ["content"], ["LIKE", "ILIKE"], ["%llm%", "%TOOL\\_1%", "%gpt%", "%"]),
            new(FilterEntity.Issue, ["id"], ["="], ["iss-1", "iss-2"]),
        ],
        [
            (FilterEntity.Attribute, ["timestamp", "execution_time", "end_time", "status", "request_id", "name"]),
            (FilterEntity.Tag, Keys),
            (FilterEntity.Metadata, Keys),
        ],
        [new(FilterEntity.Attribute, "timestamp", true), new(FilterEntity.Attribute, "request_id", false)]);

    private readonly TrackingFixture fixture = new();
    private readonly List<Searched> traces = [];
    private long experiment;

    public async Task InitializeAsync()
    {
        var workspace = await fixture.Workspaces.EnsureAsync(TrackingFixture.Workspace, default);
        experiment = await fixture.Database.WriteAsync(scope => ExperimentStore.Insert(scope, workspace, "traced").Key, default);
        var random = new Random(12);
        for (var i = 0; i < Traces; i++)
        {
            var id = "tr-" + i;
            traces.Add(await fixture.Database.WriteAsync(scope => Store(scope, workspace, random, id), default));
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public void Filters_find_what_the_reference_finds() => FilterReference.Check(Kind, traces, (3000, false), Search);

    [Fact]
    public void Pages_follow_each_other_in_every_order() => FilterReference.Check(Kind, traces, (300, true), Search);

    private Searched Store(WriteScope scope, long workspace, Random random, string id)
    {
        T Pick<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];
        string? Maybe(IReadOnlyList<string> of) => random.Next(2) == 0 ? Pick(of) : null;
        var (time, duration, state, client, name) = (random.Next(10), random.Next(3) > 0 ? (long?)random.Next(8) : null, random.Next(1, 3), Maybe(FilterReference.Texts), Maybe(FilterReference.Texts));
        var row = TraceStore.Put(scope, workspace, new TraceRow { Id = id, Experiment = experiment, Time = time, Duration = duration, State = state, ClientRequestId = client });
        var trace = new Searched(id)
            .With(FilterEntity.Attribute, "request_id", id).With(FilterEntity.Attribute, "status", state == 1 ? "OK" : "ERROR").With(FilterEntity.Attribute, "client_request_id", client)
            .With(FilterEntity.Attribute, "name", name).With(FilterEntity.Attribute, "timestamp", (long)time).With(FilterEntity.Attribute, "timestamp_ms", (long)time)
            .With(FilterEntity.Attribute, "execution_time", duration).With(FilterEntity.Attribute, "end_time", time + duration).With(FilterEntity.Attribute, "end_time_ms", time + duration);
        TraceStore.SetTags(scope, row.Key, name is null ? [] : [(TraceKeys.Name, name)]);
        foreach (var key in Keys)
        {
            if (Maybe(FilterReference.Texts) is { } tag)
            {
                TraceStore.SetTags(scope, row.Key, [(key, tag)]);
                trace.With(FilterEntity.Tag, key, tag);
            }

            if (Maybe(FilterReference.Texts) is { } metadata)
            {
                TraceStore.SetMetadata(scope, row.Key, [(key, metadata)]);
                trace.With(FilterEntity.Metadata, key, metadata);
            }

            for (var i = random.Next(3); i > 0; i--)
            {
                var (kind, value, valid) = (random.Next(2) == 0 ? FilterEntity.Feedback : FilterEntity.Expectation, Pick(Scores), random.Next(4) > 0);
                AssessmentStore.Insert(scope, new AssessmentRow(0, row.Key, $"a-{key}-{i}", kind.ToString().ToLowerInvariant(), key, value, valid ? 1 : 0, 1, 1, "{}"));
                trace.With(kind, key, valid ? value : null);
            }
        }

        if (random.Next(3) == 0)
        {
            var issue = "iss-" + random.Next(1, 3);
            AssessmentStore.Insert(scope, new AssessmentRow(0, row.Key, "a-issue", "issue", issue, "slow", 1, 1, 1, "{}"));
            trace.With(FilterEntity.Issue, "id", issue);
        }

        foreach (var run in new[] { "run-1", "run-2", "RUN-1" }.Where(_ => random.Next(3) == 0))
        {
            TraceStore.Link(scope, row.Key, run);
            trace.With(FilterEntity.Attribute, "run_id", run);
        }

        if (random.Next(3) == 0)
        {
            TraceStore.SetTags(scope, row.Key, [(TraceKeys.LinkedPrompts, """[{"name":"greet","version":"1"},{"name":"part","version":"2"}]""")]);
            trace.With(FilterEntity.Attribute, "prompt", "greet/1").With(FilterEntity.Attribute, "prompt", "part/2");
        }

        for (ulong i = 0; i < (ulong)random.Next(4); i++)
        {
            Span(scope, row.Key, trace, (random, i));
        }

        return trace;
    }

    private static void Span(WriteScope scope, long key, Searched trace, (Random Random, ulong Id) which)
    {
        var random = which.Random;
        var (name, type, ok) = (SpanNames[random.Next(SpanNames.Length)], random.Next(2) == 0 ? "LLM" : "TOOL", random.Next(2) == 0);
        var attributes = new JsonArray(Attribute("mlflow.spanType", new JsonObject { ["string_value"] = $"\"{type}\"" }, null));
        foreach (var attribute in AttributeNames.Where(_ => random.Next(2) == 0))
        {
            var (value, text) = random.Next(6) switch
            {
                0 => (new JsonObject { ["string_value"] = "\"gpt 'x'\"" }, "gpt 'x'"),
                1 => (new JsonObject { ["string_value"] = "llm" }, "llm"),
                2 => (new JsonObject { ["double_value"] = 1.5 }, "1.5"),
                3 => (new JsonObject { ["bool_value"] = true }, "true"),
                4 => (new JsonObject { ["string_value"] = "[1]" }, "[1]"),
                _ => (new JsonObject { ["int_value"] = 9 }, "9"),
            };
            attributes.Add(Attribute(attribute, value, () => trace.With(FilterEntity.Span, "attributes." + attribute, text)));
        }

        var span = SpanDocuments.Row(new JsonObject
        {
            ["trace_id"] = Convert.ToBase64String(new byte[16]),
            ["span_id"] = Convert.ToBase64String(BitConverter.GetBytes(which.Id + 1)),
            ["name"] = name,
            ["attributes"] = attributes,
            ["status"] = new JsonObject { ["code"] = ok ? "STATUS_CODE_OK" : "STATUS_CODE_UNSET" },
        });
        TraceStore.PutSpans(scope, key, [span]);
        var document = span.Document.ToJsonString(ZaffreJson.Options);
        trace.With(FilterEntity.Span, "name", name).With(FilterEntity.Span, "type", type).With(FilterEntity.Span, "status", ok ? "OK" : "UNSET")
            .With(FilterEntity.Span, "content", document).With(FilterEntity.Attribute, "text", document);
    }

    private static JsonObject Attribute(string name, JsonObject value, Action? note)
    {
        note?.Invoke();
        return new JsonObject { ["key"] = name, ["value"] = value };
    }

    private List<string> Search(string filter, string[] order, int top)
    {
        var found = new List<string>();
        string? token = null;
        do
        {
            var query = new SearchQuery
            {
                Tables = SearchQuery.TraceTables,
                Filter = FilterParser.Parse(SearchSchema.Traces, filter),
                Order = FilterParser.ParseOrder(SearchSchema.Traces, order),
                View = SearchView.All,
                Top = top,
                Token = token,
            };
            var (page, rows) = fixture.Database.ReadAsync(
                connection =>
                {
                    var sql = new SearchSql(query.Tables);
                    sql.And($"t.experiment = {experiment}");
                    var keys = query.Run(connection, sql);
                    return (keys, TraceStore.Read(connection, keys.Items));
                },
                default).GetAwaiter().GetResult();
            found.AddRange(rows.Select(row => row.Row.Id));
            token = page.Next;
        }
        while (token is not null);
        return found;
    }
}
