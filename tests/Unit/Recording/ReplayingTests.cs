using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Recording;
using Zaffre.Recording.Replaying;

namespace Zaffre.Tests.Unit.Recording;

public sealed class ReplayingTests
{
    private const string First = "0f8fad5b-d9cb-469f-a165-70867728950e";
    private const string Second = "1f8fad5b-d9cb-469f-a165-70867728950e";

    private readonly Bindings bindings = new(new ReplayTarget
    {
        Url = new Uri("https://localhost:9443"), CaFile = "", TenantId = First, SubscriptionId = Second, ClientId = "c", ObjectId = "o", ClientSecret = "s",
    });

    [Fact]
    public void An_answer_brings_values_that_later_requests_use()
    {
        Assert.Equal(-1, Template.Mismatch("/x/{guid:7}?{sas:1}", $"/x/{First}?sv=1&sig=2", bindings));

        Assert.Equal($"/y/{First}?sv=1&sig=2&p=9443", bindings.Fill("/y/{guid:7}?{sas:1}&p={port}"));
    }

    [Fact]
    public void What_no_answer_brought_is_made_up_and_kept() => Assert.Equal(bindings.Fill("{guid:3}"), bindings.Fill("{guid:3}"));

    [Theory]
    [InlineData("a {date} b", "a 2026-01-02T03:04:05.678Z b", -1)]
    [InlineData("a {date} b", "a yesterday b", 2)]
    [InlineData("{guid:1} {guid:1}", First + " " + Second, 37)]
    [InlineData("id {guid:1}", "id 5", 3)]
    [InlineData("{subscription}", First, 0)]
    [InlineData("{secret:1}/{etag:1}", "x/\"0x1\"", -1)]
    [InlineData("/{id:1}/x", "/m-0123456789abcdef0123456789abcdef/x", -1)]
    [InlineData("/{id:1}/x", "/main/x", 1)]
    [InlineData("plain", "plain and more", 5)]
    [InlineData("<a>{etag:1}</a><b>1</b>", "<a>x</a><b>2</b>", 11)]
    public void A_text_differs_where_it_does(string recorded, string came, int at)
    {
        if (recorded.Contains("{guid:1} {guid:1}", StringComparison.Ordinal))
        {
            bindings.Bind("{guid:1}", First);
        }

        Assert.Equal(at, Template.Mismatch(recorded, came, bindings));
    }

    [Theory]
    [InlineData("""{"a":1,"b":[1,{"c":"x"}]}""", """{"a":1,"b":[1,{"c":"x"}]}""", "")]
    [InlineData("""{"a":1,"b":[1,{"c":"x"}]}""", """{"a":1,"b":[1,{"c":"y"}]}""", "body.b[1].c")]
    [InlineData("""{"a":1}""", """{"a":1,"more":true}""", "body.more")]
    [InlineData("""{"a":1,"b":null}""", """{"a":1}""", "body.b")]
    [InlineData("""{"a":[1,2]}""", """{"a":[1]}""", "body.a")]
    [InlineData("""{"a":1}""", "not json", "body")]
    [InlineData("""{"expires_on":"1","a":"{date}"}""", """{"expires_on":"2","a":"2026-01-02T03:04:05Z"}""", "")]
    [InlineData("""{"status":"Running","x":1}""", """{"status":"Completed","x":2}""", "")]
    [InlineData("""{"status":"Completed","x":1}""", """{"status":"Failed","x":1}""", "body.status")]
    public void A_body_differs_by_path(string recorded, string came, string where)
    {
        var differences = new Comparison(bindings, Get("/x", 200, recorded), isPoll: false).Of(new Came(200, new Dictionary<string, string>(), Encoding.UTF8.GetBytes(came)));

        Assert.Equal(where, string.Join(',', differences.Select(difference => difference.Where)));
    }

    [Fact]
    public void Another_status_is_one_difference_and_names_what_came()
    {
        var difference = Assert.Single(new Comparison(bindings, Get("/x", 200, """{"a":1}"""), isPoll: false).Of(new Came(404, new Dictionary<string, string>(), "gone"u8.ToArray())));

        Assert.Equal(("status", "200", "404 gone"), (difference.Where, difference.Expected, difference.Actual));
    }

    [Fact]
    public void A_missing_header_is_a_difference()
    {
        var exchange = Get("/x", 202, null);
        exchange.Answer.Headers["retry-after"] = "1";

        Assert.Equal("headers.retry-after", Assert.Single(new Comparison(bindings, exchange, isPoll: false).Of(new Came(202, new Dictionary<string, string>(), []))).Where);
    }

    [Fact]
    public void Only_the_last_of_answers_that_change_without_a_write_counts()
    {
        Exchange[] session =
        [
            Get("/job", 200, """{"status":"Queued"}""", 1),
            Get("/job", 200, """{"status":"Running"}""", 2),
            Get("/same", 200, """{"a":1}""", 3),
            Get("/job", 200, """{"status":"Completed"}""", 4),
            Get("/same", 200, """{"a":1}""", 5),
            Get("/written", 404, null, 6),
            Get("/written", 200, """{"a":1}""", 7) with { Request = new RecordedRequest { Method = "PUT", Host = "h", Target = "/written?v=1" } },
            Get("/written", 200, """{"a":1}""", 8),
        ];

        Assert.Equal([1L, 2L], Polls.Of(session).Order());
    }

    private static Exchange Get(string target, int status, string? body, long number = 1) => new()
    {
        Number = number,
        Request = new RecordedRequest { Method = "GET", Host = "h", Target = target },
        Answer = new RecordedAnswer { Status = status, Body = body is null ? null : new RecordedBody { Json = JsonNode.Parse(body) } },
    };
}
