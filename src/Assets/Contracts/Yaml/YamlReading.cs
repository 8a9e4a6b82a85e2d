using System.Text.Json.Nodes;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>One run of <c>yaml:resolve</c>: the files at hand, and what was found out so far. Not thread safe.</summary>
public sealed class YamlReading
{
    private readonly IReadOnlyDictionary<string, string> files;
    private readonly List<Problem> problems = [];
    private readonly List<JsonObject> uploads = [];
    private readonly List<JsonObject> requests = [];
    private readonly Dictionary<string, YamlMap?> parsed = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> needs = new(StringComparer.Ordinal);

    internal YamlReading(Workspaces.Workspace workspace, Caller caller, IAssets assets, string file, IReadOnlyDictionary<string, string> files)
    {
        (WorkspaceInfo, Caller, Assets, this.files) = (workspace, caller, assets, files);
        MainFile = YamlPaths.Normalize(file);
        Root = new YamlMap(new YamlTable([], 1, 1), MainFile, "", problems);
    }

    /// <summary>The workspace of the request; <c>Workspace.Id</c> is the start of every id made here.</summary>
    public WorkspaceRef Workspace => WorkspaceInfo.Ref;

    /// <summary>The workspace with its location.</summary>
    public Workspaces.Workspace WorkspaceInfo { get; }

    public Caller Caller { get; }

    /// <summary>The main file, with <c>set</c> applied.</summary>
    public YamlMap Root { get; internal set; }

    /// <summary>True when files were asked for; what depends on them is not known yet.</summary>
    public bool Incomplete => needs.Count > 0;

    /// <summary>Everything reported so far.</summary>
    public IReadOnlyList<Problem> Problems => problems;

    internal IAssets Assets { get; }

    internal string MainFile { get; }

    /// <summary>The files that are asked for, by path, and who names each first.</summary>
    public IReadOnlyDictionary<string, string> Needs => needs;

    /// <summary>What the client is asked to upload, as the protocol says it: <c>placeholder</c>, <c>hashPlaceholder</c>, <c>local</c>, <c>kind</c>, <c>at</c>, ...</summary>
    public IReadOnlyList<JsonObject> Uploads => uploads;

    /// <summary>The requests to be sent, in order: <c>method</c>, <c>path</c>, <c>body</c>; placeholders of uploads may stand in all of them.</summary>
    public IReadOnlyList<JsonObject> Requests => requests;

    internal List<Problem> ProblemList => problems;

    /// <summary>The YAML file that <paramref name="at"/>.<paramref name="key"/> names (relative to the file of <paramref name="at"/>; a leading
    /// <c>file:</c> is ignored), or null when it must be asked for or is broken (which is reported).</summary>
    public YamlMap? File(YamlMap at, string key, string path)
    {
        var name = YamlPaths.Resolve(at.File, path);
        if (parsed.TryGetValue(name, out var before))
        {
            return before;
        }

        return TextFile(at, key, path) is not { } text ? null : parsed[name] = YamlFiles.Read(name, text, problems);
    }

    /// <summary>The text of a file that <paramref name="at"/>.<paramref name="key"/> names, or null when it must be asked for.</summary>
    public string? TextFile(YamlMap at, string key, string path)
    {
        var name = YamlPaths.Resolve(at.File, path);
        if (files.TryGetValue(name, out var text))
        {
            return text;
        }

        Ask(name, at.At(key));
        return null;
    }

    /// <summary>Asks the client for a file; <paramref name="at"/> says who names it.</summary>
    internal void Ask(string file, string at) => needs.TryAdd(file, at);

    /// <summary>The answer that asks for files.</summary>
    public JsonObject NeedsAnswer() => new()
    {
        ["needs"] = new JsonArray([.. needs.Select(need => new JsonObject { ["path"] = need.Key, ["at"] = need.Value })]),
    };

    /// <summary>Asks the client to upload a local path (relative to the file of <paramref name="at"/>) to the default datastore.</summary>
    public UploadReference Upload(YamlMap at, string key, string local, UploadKind kind) =>
        Add(new JsonObject { ["local"] = YamlPaths.ForClient(YamlPaths.Resolve(at.File, local)), ["kind"] = kind.ToString().ToLowerInvariant() }, at.At(key));

    /// <summary>Asks for the code of a component: a local path or none, what is included beside it, and without what Python compiles.</summary>
    internal UploadReference UploadCode(YamlMap at, string? local, IReadOnlyList<(string Local, string At)>? includes)
    {
        var upload = new JsonObject { ["kind"] = "any", ["ignore"] = new JsonArray("__pycache__") };
        if (local is not null)
        {
            upload["local"] = YamlPaths.ForClient(YamlPaths.Resolve(at.File, local));
        }

        if (includes is not null)
        {
            upload["includes"] = new JsonArray([.. includes.Select(include => new JsonObject { ["local"] = include.Local, ["at"] = include.At })]);
        }

        return Add(upload, at.At(local is null ? "additional_includes" : "code"));
    }

    /// <summary>Adds a PUT of a resource; equal requests are added once.</summary>
    public void Put(ArmId id, JsonObject body)
    {
        var request = new JsonObject { ["method"] = "PUT", ["path"] = $"{id}?api-version={ApiVersion}", ["body"] = body };
        if (!requests.Any(r => JsonNode.DeepEquals(r, request)))
        {
            requests.Add(request);
        }

        Result = id;
    }

    /// <summary>Reports a problem that has its place already.</summary>
    public void Report(Problem problem) => problems.Add(problem);

    /// <summary>The body of the PUT that was added for the resource, or null.</summary>
    public JsonObject? Body(ArmId id) =>
        requests.LastOrDefault(request => request.Text("path")!.StartsWith(id.Value + "?", StringComparison.OrdinalIgnoreCase))?.Object("body");

    /// <summary>Adds an upload; equal ones are made once.</summary>
    private UploadReference Add(JsonObject upload, string at)
    {
        for (var i = 0; i < uploads.Count; i++)
        {
            var earlier = uploads[i];
            if (upload.All(pair => JsonNode.DeepEquals(pair.Value, earlier[pair.Key])) && earlier.ContainsKey("includes") == upload.ContainsKey("includes") && earlier.ContainsKey("ignore") == upload.ContainsKey("ignore"))
            {
                return Reference(i);
            }
        }

        var reference = Reference(uploads.Count);
        upload["placeholder"] = reference.Uri;
        upload["hashPlaceholder"] = reference.Hash;
        upload["at"] = at;
        uploads.Add(upload);
        return reference;
    }

    internal const string ApiVersion = "2024-10-01";

    /// <summary>The id of what the last request makes.</summary>
    public ArmId? Result { get; private set; }

    private static UploadReference Reference(int index) => new($"{{{{upload.{index}}}}}", $"{{{{upload.{index}.hash}}}}");
}
