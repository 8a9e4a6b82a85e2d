using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Assets.Yaml;

/// <summary>The kinds of YAML files that can be read, by name.</summary>
internal sealed class YamlKinds(IEnumerable<IYamlKind> kinds)
{
    private readonly Dictionary<string, IYamlKind> byName = kinds.ToDictionary(kind => kind.Kind, StringComparer.OrdinalIgnoreCase);

    public IYamlKind? Find(string name) => byName.GetValueOrDefault(name);

    public string Names => string.Join(", ", byName.Keys.Order(StringComparer.Ordinal));
}

/// <inheritdoc cref="IYamlReader"/>
internal sealed class YamlReader(YamlKinds kinds, IWorkspaces workspaces, IAssets assets) : IYamlReader
{
    private const int MostFiles = 64;
    private const int MostCharacters = 1024 * 1024;

    public async Task<Outcome<YamlReading>> ReadAsync(WorkspaceRef workspace, JsonObject request, Caller caller, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (Problems(request) is { Count: > 0 } problems)
        {
            return Problem.Combine(problems);
        }

        var files = request.Object("files")!.ToDictionary(p => YamlPaths.Normalize(p.Key), p => p.Value.Text()!, StringComparer.Ordinal);
        var reading = new YamlReading((await workspaces.GetAsync(workspace, ct)).Value, caller, assets, request.Text("file")!, files);
        if (!files.TryGetValue(reading.MainFile, out var text))
        {
            reading.Ask(reading.MainFile, "file");
            return reading;
        }

        if (YamlFiles.Read(reading.MainFile, text, reading.ProblemList, request.Object("set")) is { } root)
        {
            reading.Root = root;
            await kinds.Find(request.Text("kind")!)!.ReadAsync(reading, ct);
            root.RejectUnknown();
        }

        return reading.Problems.Count > 0 ? Problem.Combine(reading.Problems) : reading;
    }

    private List<Problem> Problems(JsonObject body)
    {
        var problems = new List<Problem>();
        if (body["kind"]?.GetValueKind() != JsonValueKind.String || kinds.Find(body.Text("kind")!) is null)
        {
            problems.Add(ArmErrors.Invalid($"'kind' must be one of {kinds.Names}; it is '{body.Text("kind")}'.", "kind"));
        }

        if (body["file"]?.GetValueKind() != JsonValueKind.String || body.Text("file")!.Length == 0)
        {
            problems.Add(ArmErrors.Invalid("'file' is required and must be a string.", "file"));
        }

        if (body["files"] is not JsonObject files || files.Any(f => f.Value?.GetValueKind() != JsonValueKind.String))
        {
            problems.Add(ArmErrors.Invalid("'files' is required and must be a map of file names to texts.", "files"));
        }
        else if (files.Count > MostFiles || files.Any(f => f.Value.Text()!.Length > MostCharacters))
        {
            problems.Add(ArmErrors.Invalid($"'files' holds at most {MostFiles} files of at most {MostCharacters} characters each.", "files"));
        }

        if (body["set"] is not (null or JsonObject))
        {
            problems.Add(ArmErrors.Invalid("'set' must be a map of dotted paths to values.", "set"));
        }

        return problems;
    }
}
