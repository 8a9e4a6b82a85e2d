using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre run compare|table</c>: runs of MLflow and jobs alike.</summary>
internal static class RunCommands
{
    private static readonly string[] Sections = ["attributes", "params", "metrics", "tags", "inputs", "artifacts", "origin"];

    public static Command Create()
    {
        var group = new Command("run", "Look at runs: those of MLflow and those of jobs.");
        group.Subcommands.Add(Compare());
        group.Subcommands.Add(Table());
        return group;
    }

    private static Verb Compare()
    {
        var runs = new Argument<string[]>("RUN") { Description = "2 to 100 runs or jobs.", Arity = new ArgumentArity(2, 100) };
        var different = new Option<bool>("--different") { Description = "Leaves out what is the same in all of them." };
        var include = new Option<string?>("--include") { Description = "Sections, separated by commas: " + string.Join(", ", Sections) + "." };
        return new Verb(
            "compare",
            "Compare runs: attributes, params, metrics, tags, inputs, artifacts, and what jobs were made from.",
            async (call, ct) =>
            {
                var names = string.Join(',', call.Get(runs).Select(Uri.EscapeDataString));
                var sections = call.Get(include) ?? (call.Form == "json" ? null : string.Join(',', Sections));
                var answer = await call.Api.GetAsync(
                    $"/zaffre/v1{call.Api.WorkspacePath}/compare?runs={names}{(call.Get(different) ? "&only=different" : "")}{(sections is null ? "" : "&include=" + Uri.EscapeDataString(sections))}", ct);
                return call.Form == "json" ? answer : Rows(answer);
            },
            different, include)
        {
            Form = "table",
            Arguments = { runs },
        };
    }

    private static Verb Table()
    {
        var run = new Argument<string>("RUN") { Description = "A run or job." };
        var path = new Argument<string>("PATH") { Description = "Path of the artifact, as metrics.csv." };
        var limit = new Option<int>("--max-results", "-r") { Description = "Most rows.", DefaultValueFactory = _ => 100 };
        return new Verb(
            "table",
            "Show a run's artifact as a table: CSV, JSON, lines of JSON.",
            async (call, ct) =>
            {
                var answer = await call.Api.GetAsync(
                    $"/zaffre/v1{call.Api.WorkspacePath}/runs/{Uri.EscapeDataString(call.Get(run))}/tables?path={Uri.EscapeDataString(call.Get(path))}&limit={call.Get(limit).ToString(CultureInfo.InvariantCulture)}", ct);
                if (call.Form == "json" || answer["columns"] is not JsonArray columns || answer["rows"] is not JsonArray rows)
                {
                    return answer;
                }

                var names = columns.Select(column => column!["name"]!.ToString()).ToList();
                return new JsonArray([.. rows.Select(row => (JsonNode)new JsonObject(names.Select((name, i) => KeyValuePair.Create(name, row![i]?.DeepClone())).DistinctBy(cell => cell.Key)))]);
            },
            limit)
        {
            Form = "table",
            Arguments = { run, path },
        };
    }

    /// <summary>One row for each thing, with a column for each run.</summary>
    private static JsonArray Rows(JsonObject answer)
    {
        var runs = answer["runs"]!.AsArray().Select(run => run!.ToString()).ToList();
        var rows = new JsonArray();
        foreach (var section in Sections)
        {
            foreach (var row in answer[section]?["rows"]?.AsArray() ?? [])
            {
                var line = new JsonObject { ["section"] = section, ["name"] = row!["name"]?.DeepClone(), ["state"] = row["state"]?.DeepClone() };
                for (var i = 0; i < runs.Count; i++)
                {
                    line[runs[i]] = Cell(row["values"]![i]);
                }

                rows.Add(line);
            }
        }

        return rows;
    }

    /// <summary>What stands for a value in a cell: the latest of a metric, the digest of an input, the size of a file.</summary>
    private static JsonNode Cell(JsonNode? value) => value switch
    {
        JsonObject metric when metric.ContainsKey("latest") => Text(metric["latest"]),
        JsonObject input when input.ContainsKey("digest") => Text(input["digest"]),
        JsonObject file => $"{file["size"]} bytes{(file["sha256"] is { } hash ? " " + hash.ToString()[..12] : "")}",
        _ => Text(value),
    };

    private static JsonNode Text(JsonNode? value) => value.Text() ?? "";
}
