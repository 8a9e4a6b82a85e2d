using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Assets;

/// <summary>What <c>yaml:resolve</c> needs besides the request.</summary>
internal sealed class YamlKinds(IEnumerable<IYamlKind> kinds)
{
    private readonly Dictionary<string, IYamlKind> byName = kinds.ToDictionary(kind => kind.Kind, StringComparer.OrdinalIgnoreCase);

    public IYamlKind? Find(string name) => byName.GetValueOrDefault(name);

    public string Names => string.Join(", ", byName.Keys.Order(StringComparer.Ordinal));
}

/// <summary>YAML files to REST requests; the protocol is docs/yaml-resolve.md. The answer may hold a signature that writes to the default datastore, so it takes the right to write data.</summary>
internal static class ResolveYaml
{
    private const int MostFiles = 64;
    private const int MostCharacters = 1024 * 1024;
    private static readonly TimeSpan UploadTime = TimeSpan.FromHours(12);

    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapWorkspace("/zaffre/v1").MapPost("yaml:resolve", HandleAsync).Requires("workspaces/data/versions/write");

    private static async Task<IResult> HandleAsync(HttpContext context, WorkspaceRef workspace, YamlKinds kinds, IWorkspaces workspaces, IAssets assets, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var unreadable))
        {
            return ArmResults.Problem(unreadable);
        }

        if (Problems(body, kinds) is { Count: > 0 } problems)
        {
            return ArmResults.Problem(Problem.Combine(problems));
        }

        var files = body.Object("files")!.ToDictionary(p => YamlPaths.Normalize(p.Key), p => p.Value.Text()!, StringComparer.Ordinal);
        var reading = new YamlReading((await workspaces.GetAsync(workspace, ct)).Value, context.Caller(), assets, body.Text("file")!, files);
        if (!files.TryGetValue(reading.MainFile, out var text))
        {
            return Needs([KeyValuePair.Create(reading.MainFile, "file")]);
        }

        if (YamlFiles.Read(reading.MainFile, text, reading.ProblemList, body.Object("set")) is { } root)
        {
            reading.Root = root;
            await kinds.Find(body.Text("kind")!)!.ReadAsync(reading, ct);
            root.RejectUnknown();
        }

        if (reading.Problems.Count > 0)
        {
            return ArmResults.Problem(Problem.Combine(reading.Problems));
        }

        return reading.Incomplete ? Needs(reading.Needs) : ArmResults.Ok(await AnswerAsync(context, reading, ct));
    }

    private static List<Problem> Problems(JsonObject body, YamlKinds kinds)
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

    private static IResult Needs(IEnumerable<KeyValuePair<string, string>> needs) => ArmResults.Ok(new JsonObject
    {
        ["needs"] = new JsonArray([.. needs.Select(n => new JsonObject { ["path"] = n.Key, ["at"] = n.Value })]),
    });

    private static async Task<JsonObject> AnswerAsync(HttpContext context, YamlReading reading, CancellationToken ct)
    {
        var answer = new JsonObject
        {
            ["id"] = reading.Result?.Value,
            ["uploads"] = new JsonArray([.. reading.Uploads]),
            ["requests"] = new JsonArray([.. reading.Requests]),
        };
        if (reading.Uploads.Count > 0)
        {
            var services = context.RequestServices;
            var location = (await ((IDatastores)services.GetService(typeof(IDatastores))!).ResolveAsync(reading.Workspace, BuiltInDatastores.Blob, ct)).Value;
            var container = new BlobAddress(location.Account, location.Container, "");
            var signer = (IBlobSigner)services.GetService(typeof(IBlobSigner))!;
            var signed = await signer.SignAsync(context, container, BlobRights.Read | BlobRights.Add | BlobRights.Create | BlobRights.Write | BlobRights.List, UploadTime, ct);
            answer["store"] = new JsonObject
            {
                ["container"] = signed.GetLeftPart(UriPartial.Path).TrimEnd('/'),
                ["sas"] = signed.Query.TrimStart('?'),
                ["uri"] = DatastoreUri.Short(BuiltInDatastores.Blob, ""),
            };
        }

        return answer;
    }
}
