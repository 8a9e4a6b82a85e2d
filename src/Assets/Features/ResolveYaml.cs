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

/// <summary>YAML files to REST requests; the protocol is docs/yaml-resolve.md. The answer may hold a signature that writes to the default datastore, so it takes the right to write data.</summary>
internal static class ResolveYaml
{
    private static readonly TimeSpan UploadTime = TimeSpan.FromHours(12);

    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapWorkspace("/zaffre/v1").MapPost("yaml:resolve", HandleAsync).Requires("workspaces/data/versions/write");

    private static async Task<IResult> HandleAsync(HttpContext context, WorkspaceRef workspace, IYamlReader reader, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var problem) || !(await reader.ReadAsync(workspace, body, context.Caller(), ct)).TryGet(out var reading, out problem))
        {
            return ArmResults.Problem(problem);
        }

        return ArmResults.Ok(reading.Incomplete ? reading.NeedsAnswer() : await AnswerAsync(context, reading, ct));
    }

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
