using System.Globalization;
using System.Text;
using Zaffre.Gateway;

namespace Zaffre.Endpoints.Runtime;

/// <summary>Counters of deployments in Prometheus' text form.</summary>
internal static class MetricsText
{
    public static string Of(IReadOnlyList<DeploymentCounters> counters)
    {
        var text = new StringBuilder();
        Family(text, "zaffre_scoring_requests_total", "counter", "Requests by how they ended.");
        foreach (var one in counters)
        {
            foreach (var (outcome, count) in Outcomes(one))
            {
                Line(text, "zaffre_scoring_requests_total", one, $",outcome=\"{outcome}\"", count);
            }
        }

        Family(text, "zaffre_scoring_latency_seconds", "histogram", "From the first byte of a request to the last of its answer; rejected ones do not count.");
        foreach (var one in counters)
        {
            Histogram(text, one);
        }

        Gauge(text, counters, "zaffre_scoring_pending", "Requests that wait or run.", c => c.Pending);
        Gauge(text, counters, "zaffre_scoring_places", "Pending requests from which on others are refused.", c => c.Places);
        Gauge(text, counters, "zaffre_scoring_connections", "Requests that can run side by side.", c => c.Connections);
        return text.ToString();
    }

    public static IEnumerable<(string Outcome, long Count)> Outcomes(DeploymentCounters counters) =>
    [
        ("succeeded", counters.Succeeded), ("model_error", counters.ModelErrors), ("invalid", counters.Invalid),
        ("rejected", counters.Rejected), ("timed_out", counters.TimedOut), ("failed", counters.Failed),
    ];

    private static void Histogram(StringBuilder text, DeploymentCounters one)
    {
        var sum = 0L;
        for (var i = 0; i < one.Latency.Count; i++)
        {
            sum += one.Latency[i];
            var bound = i < DeploymentCounters.LatencyBounds.Count ? DeploymentCounters.LatencyBounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
            Line(text, "zaffre_scoring_latency_seconds_bucket", one, $",le=\"{bound}\"", sum);
        }

        Line(text, "zaffre_scoring_latency_seconds_sum", one, "", one.LatencyMicros / 1e6);
        Line(text, "zaffre_scoring_latency_seconds_count", one, "", sum);
    }

    private static void Gauge(StringBuilder text, IReadOnlyList<DeploymentCounters> counters, string name, string help, Func<DeploymentCounters, double> read)
    {
        Family(text, name, "gauge", help);
        foreach (var one in counters)
        {
            Line(text, name, one, "", read(one));
        }
    }

    private static void Family(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    // Names of endpoints and deployments are letters, digits and dashes: nothing in them needs an escape.
    private static void Line(StringBuilder text, string name, DeploymentCounters of, string labels, double value) =>
        text.Append(name).Append("{endpoint=\"").Append(of.Endpoint).Append("\",deployment=\"").Append(of.Deployment).Append('"').Append(labels).Append("} ")
            .Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
