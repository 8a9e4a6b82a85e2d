using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>A command that talks to the server: the options that all of them share, and the one place where errors become messages.</summary>
internal sealed class Verb : Command
{
    private readonly Option<string> group = new("--resource-group", "-g") { Description = "Resource group of the workspace.", DefaultValueFactory = _ => Setting("ZAFFRE_RESOURCE_GROUP", "zaffre") };
    private readonly Option<string> workspace = new("--workspace-name", "-w") { Description = "Name of the workspace.", DefaultValueFactory = _ => Setting("ZAFFRE_WORKSPACE", "main") };
    private readonly Option<string> output = new("--output", "-o") { Description = "Form of the result: json, table, tsv or none." };
    private readonly Option<string?> query = new("--query") { Description = "A member of the result, such as status or [0].name." };

    public Verb(string name, string description, Func<VerbCall, CancellationToken, Task<JsonNode?>> run, params ReadOnlySpan<Option> options)
        : base(name, description)
    {
        output.DefaultValueFactory = _ => Form;
        output.AcceptOnlyFromAmong("json", "table", "tsv", "none");
        foreach (var option in options)
        {
            Options.Add(option);
        }

        Options.Add(group);
        Options.Add(workspace);
        Options.Add(CliCommands.Data);
        Options.Add(output);
        Options.Add(query);
        SetAction((parsed, ct) => RunAsync(parsed, run, ct));
    }

    /// <summary>The form of the result when none is asked for.</summary>
    public string Form { get; init; } = "json";

    private async Task<int> RunAsync(ParseResult parsed, Func<VerbCall, CancellationToken, Task<JsonNode?>> run, CancellationToken ct)
    {
        try
        {
            if (parsed.GetValue(query) is { } wanted)
            {
                QueryPath.Check(wanted);
            }

            using var api = new ApiClient(RunningServer.Find(CliCommands.DataOf(parsed)), parsed.GetValue(group)!, parsed.GetValue(workspace)!);
            var call = new VerbCall(parsed, api) { Form = parsed.GetResult(output) is { Implicit: false } ? parsed.GetValue(output) : parsed.GetValue(query) is null ? null : Form };
            if (await run(call, ct) is { } result)
            {
                Printer.Print(result, parsed.GetValue(output)!, parsed.GetValue(query));
            }

            return call.ExitCode;
        }
        catch (CliException exception)
        {
            await Console.Error.WriteLineAsync("ERROR: " + exception.Message);
            return 1;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or HttpRequestException)
        {
            // A file that cannot be read or written, or an answer that broke off.
            await Console.Error.WriteLineAsync("ERROR: " + exception.Message);
            return 1;
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
    }

    private static string Setting(string variable, string otherwise) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : otherwise;
}

/// <summary>One run of a verb.</summary>
internal sealed record VerbCall(ParseResult Parsed, ApiClient Api)
{
    /// <summary>The form that was asked for; null when none was, and no member of the result either.</summary>
    public string? Form { get; init; }

    /// <summary>What the command ends with when nothing went wrong.</summary>
    public int ExitCode { get; set; }

    public T Get<T>(Option<T> option) => Parsed.GetValue(option)!;

    public T Get<T>(Argument<T> argument) => Parsed.GetValue(argument)!;

    /// <summary>
    /// The values of <c>--set a.b=c</c>, in their order: JSON maps, lists and quoted texts, and <c>null</c>, are read as such; everything else is text, in
    /// which the server finds numbers and booleans where they may stand.
    /// </summary>
    public Dictionary<string, JsonNode?> Set(Option<string[]> option, params ReadOnlySpan<(string Path, string? Value)> own)
    {
        var set = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var (path, value) in own)
        {
            if (value is not null)
            {
                set[path] = value;
            }
        }

        foreach (var pair in Parsed.GetValue(option) ?? [])
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            var path = at > 0 ? pair[..at].Trim() : throw new CliException($"--set {pair}: write it as path=value.");
            set.Remove(path);
            set[path] = ValueOf(pair[(at + 1)..]);
        }

        return set;
    }

    private static JsonNode? ValueOf(string text)
    {
        if (text == "null" || text is not ['{' or '[' or '"', ..])
        {
            return text == "null" ? null : JsonValue.Create(text);
        }

        try
        {
            return JsonNode.Parse(text);
        }
        catch (System.Text.Json.JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    /// <summary>Traffic or tags as <c>"blue=90 green=10"</c>.</summary>
    public static JsonObject Pairs(string text, string option)
    {
        var result = new JsonObject();
        foreach (var pair in text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            result[parts[0]] = parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var percent)
                ? percent
                : throw new CliException($"{option} \"{text}\": write it as \"name=percent name=percent\".");
        }

        return result;
    }

    public async Task<JsonArray> CollectAsync(string path, int most, CancellationToken ct, Func<JsonObject, JsonObject>? shown = null)
    {
        var result = new JsonArray();
        await foreach (var item in Api.ListAsync(path, ct))
        {
            if (result.Count == most)
            {
                break;
            }

            result.Add((shown ?? Projection.Of)(item));
        }

        return result;
    }
}
