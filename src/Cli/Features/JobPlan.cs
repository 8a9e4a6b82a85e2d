using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre job create --plan</c>: what creating the job would upload, create, run and reuse, and why; nothing is changed.</summary>
internal static class JobPlan
{
    private const int LongestVersion = 26;
    private const int Error = 1;
    private const int Changes = 2;

    /// <summary>
    /// Prints the plan, or gives it back for another form than a table. The exit code is 1 when the job would end badly of what is known now; with
    /// <paramref name="detailed"/> 2 when something would be uploaded, created or run, and 0 when nothing would.
    /// </summary>
    public static async Task<JsonNode?> RunAsync(VerbCall call, string file, IReadOnlyDictionary<string, JsonNode?> set, bool detailed, CancellationToken ct)
    {
        var plan = await new YamlPlan(call.Api).AskAsync(file, set, ct);
        var problems = (plan["problems"] as JsonArray ?? []).Select(problem => problem.Text()).ToArray();
        call.ExitCode = problems.Length > 0 ? Error : detailed && plan["changes"]?.GetValue<bool>() == true ? Changes : 0;
        foreach (var problem in problems)
        {
            await Console.Error.WriteLineAsync("ERROR: " + problem);
        }

        if (call.Form is not (null or "table"))
        {
            return plan;
        }

        Print(plan, Path.GetFileName(file));
        return null;
    }

    private static void Print(JsonObject plan, string file)
    {
        var job = plan.Object("job")!;
        Console.WriteLine($"{file}: the {job.Text("type")} job {job.Text("name") ?? "(named when it is created)"} would be {job.Text("action")}d.");
        Section("Steps", plan, "steps", step => [("step", step.Text("step")), ("decision", step.Text("decision")), ("why", step.Text("summary"))]);
        Section("Uploads", plan, "uploads", upload =>
        [
            ("local", upload.Text("local") ?? upload.Text("at")),
            ("files", upload["files"]!.ToString()),
            ("size", Size(upload["bytes"]!.GetValue<long>())),
            ("action", upload.Text("action") == "exists" ? "already there" : "upload"),
        ]);
        Section("Assets", plan, "assets", asset =>
        [
            ("type", asset.Text("type")),
            ("name", Short(asset.Text("name"))),
            ("version", Short(asset.Text("version"))),
            ("action", asset.Text("action") == "register" ? "registered when its step ends" : asset.Text("sameContentAs") is { } same ? $"exists (same content as {Version(same)})" : asset.Text("action")),
            ("used by", Few((asset["usedBy"] as JsonArray ?? []).Select(step => step.Text() ?? ""))),
        ]);
        Section("Environments of what would run", plan, "environments", environment =>
        [
            ("environment", $"{environment.Text("name")}:{Short(environment.Text("version"))}"),
            ("compute", environment.Text("compute")),
            ("state", environment.Text("state")),
            ("detail", environment.Text("detail")),
        ]);
        Section("Computes", plan, "computes", compute => [("compute", compute.Text("name")), ("type", compute.Text("type")), ("size", compute.Text("size")), ("action", compute.Text("action"))]);
        Console.WriteLine();
        Console.WriteLine("Total: " + Total(plan.Object("totals")!));
    }

    private static void Section(string title, JsonObject plan, string member, Func<JsonObject, IReadOnlyList<(string Column, string? Cell)>> row)
    {
        var rows = (plan[member] as JsonArray ?? []).OfType<JsonObject>().Select(row).ToArray();
        if (rows.Length == 0)
        {
            return;
        }

        Console.WriteLine();
        Console.WriteLine(title);
        Printer.Print(new JsonArray([.. rows.Select(cells => new JsonObject(cells.Select(cell => KeyValuePair.Create(cell.Column, (JsonNode?)(cell.Cell ?? "")))))]), "table", null);
    }

    private static string Total(JsonObject totals)
    {
        long Of(string name) => totals[name]!.GetValue<long>();
        var parts = new List<string> { $"{Of("run")} to run", $"{Of("reuse")} reused" };
        foreach (var (name, word) in new[] { ("depends", "not known yet"), ("skip", "not run"), ("fail", "to fail") })
        {
            if (Of(name) > 0)
            {
                parts.Add($"{Of(name)} {word}");
            }
        }

        parts.Add(Of("upload") == 0 ? "nothing to upload" : $"{Of("uploadFiles")} {(Of("uploadFiles") == 1 ? "file" : "files")} to upload ({Size(Of("uploadBytes"))})");
        parts.Add($"{Of("create")} {(Of("create") == 1 ? "asset" : "assets")} to create");
        return string.Join(", ", parts) + ".";
    }

    private static string Few(IEnumerable<string> names) => names.ToArray() is { Length: > 3 } many ? $"{string.Join(", ", many.Take(3))}, ..." : string.Join(", ", names);

    /// <summary><c>name:version</c>, both short.</summary>
    private static string Version(string text) => text.IndexOf(':', StringComparison.Ordinal) is var colon && colon > 0 ? $"{Short(text[..colon])}:{Short(text[(colon + 1)..])}" : Short(text);

    private static string Short(string? version) => version is null ? "" : version.Length > LongestVersion ? version[..LongestVersion] + "..." : version;

    private static string Size(long bytes) => bytes switch
    {
        < 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KiB"),
        < 1024L * 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.#} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.##} GiB"),
    };
}
