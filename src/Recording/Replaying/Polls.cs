using System.Text.Json;
using System.Text.RegularExpressions;

namespace Zaffre.Recording.Replaying;

/// <summary>Finds the answers that the recording itself shows to be passing: the same question, asked again without a write between, was answered differently.</summary>
internal static partial class Polls
{
    /// <summary>Whether asking again changes nothing.</summary>
    public static bool Reads(RecordedRequest request) =>
        request.Method is "GET" or "HEAD" || (request.Method == "POST" && PathOf(request).EndsWith("/rundata", StringComparison.OrdinalIgnoreCase));

    /// <summary>The numbers of all passing answers.</summary>
    public static IReadOnlySet<long> Of(IEnumerable<Exchange> exchanges)
    {
        var passing = new HashSet<long>();
        var open = new Dictionary<string, List<(long Number, string Answer)>>(StringComparer.Ordinal);
        foreach (var exchange in exchanges.Where(exchange => !exchange.Job))
        {
            if (!Reads(exchange.Request))
            {
                foreach (var ended in open.Keys.Where(key => key.Split('?')[0].EndsWith(' ' + PathOf(exchange.Request), StringComparison.Ordinal)).ToList())
                {
                    Close(open[ended], passing);
                    open.Remove(ended);
                }

                continue;
            }

            var question = Passing().Replace($"{exchange.Request.Method} {exchange.Request.Host} {exchange.Request.Target}", "");
            if (!open.TryGetValue(question, out var answers))
            {
                open[question] = answers = [];
            }

            answers.Add((exchange.Number, Passing().Replace(JsonSerializer.Serialize(exchange, RecordingJson.Default.Exchange) is var line ? line[line.IndexOf("\"answer\"", StringComparison.Ordinal)..] : "", "")));
        }

        foreach (var answers in open.Values)
        {
            Close(answers, passing);
        }

        return passing;
    }

    private static void Close(List<(long Number, string Answer)> answers, HashSet<long> passing)
    {
        if (answers.DistinctBy(answer => answer.Answer).Skip(1).Any())
        {
            passing.UnionWith(answers.SkipLast(1).Select(answer => answer.Number));
        }
    }

    private static string PathOf(RecordedRequest request) => request.Target.Split('?')[0];

    [GeneratedRegex(@"(?<=\{(?:sas|etag|signature|token)):\d+(?=\})", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Passing();
}
