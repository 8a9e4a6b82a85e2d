using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Database;
using Zaffre.Endpoints.Data;
using Zaffre.Endpoints.Runtime;
using Zaffre.Gateway;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Endpoints.Online;

/// <summary><c>onlineEndpoints/{name}</c>: keys, authentication mode and traffic. Ready as soon as it is written.</summary>
internal sealed class OnlineEndpoint(EndpointStore endpoints, DeploymentStore deployments, GatewayKeeper gateway) : ArmResource
{
    public const string Type = "onlineEndpoints";

    private const int MostMirrored = 50;

    public override string Path => Type + "/{name}";

    public override string Action => "workspaces/onlineEndpoints";

    public override IReadOnlyList<(string Path, JsonValueKind Kind)> Required => [("location", JsonValueKind.String), ("properties", JsonValueKind.Object)];

    public override string? NameProblem(string part, string value) => OnlineName.Problem("endpoint", value);

    public override IEnumerable<string> KeptOnly(JsonObject document) => StoredOnly.Present(document, "identity", "properties.publicNetworkAccess");

    public override bool Matches(IQueryCollection query, Resource resource)
    {
        var (name, kind) = (ListParameters.Value(query, "name"), ListParameters.Value(query, "computeType"));
        return (name.Length == 0 || name.Equals(resource.Id.Name, StringComparison.OrdinalIgnoreCase))
            && (kind.Length == 0 || kind.Equals("Managed", StringComparison.OrdinalIgnoreCase))
            && ListParameters.Holds(ListParameters.Value(query, "tags"), resource.Document.Object("tags"))
            && ListParameters.Holds(ListParameters.Value(query, "properties"), resource.Properties.Object("properties"));
    }

    /// <summary>How callers of the endpoint prove themselves.</summary>
    public static EndpointAuthentication ModeOf(JsonObject document) => document.Object("properties")?.Text("authMode")?.ToLowerInvariant() switch
    {
        "amltoken" => EndpointAuthentication.Token,
        "aadtoken" => EndpointAuthentication.Entra,
        _ => EndpointAuthentication.Key,
    };

    public static Dictionary<string, int> TrafficOf(JsonObject document) => new DocumentReader(document).Numbers("traffic");

    public static Dictionary<string, int> MirrorOf(JsonObject document) => new DocumentReader(document).Numbers("mirrorTraffic");

    public override async Task<Outcome<JsonObject>> PrepareAsync(ResourceCall call, JsonObject body, Resource? existing, CancellationToken ct)
    {
        var reader = new DocumentReader(body);
        var mode = reader.OneOf("authMode", true, "Key", "AMLToken", "AADToken");
        if (existing is not null && mode is not null && ModeOf(existing.Document) != ModeOf(body))
        {
            reader.Invalid("properties.authMode", "'properties.authMode' cannot be changed; make another endpoint.");
        }

        if (reader.Text("compute") is { Length: > 0 })
        {
            reader.Unsupported("properties.compute", "endpoints on an attached Kubernetes compute");
        }

        reader.Texts("properties");
        CheckKeys(reader);
        await CheckTrafficAsync(reader, call.Id, ct);
        if (reader.Combined is { } problem)
        {
            return problem;
        }

        if (reader.Properties["keys"] is JsonObject keys)
        {
            call.Http.Items[typeof(OnlineEndpoint)] = (keys.Text("primaryKey"), keys.Text("secondaryKey"));
            reader.Properties.Remove("keys");
        }

        return body;
    }

    public override void OnPut(WriteScope scope, ResourceCall call, Resource? before, Resource after)
    {
        if (before is null)
        {
            var (primary, secondary) = ((string?, string?))(call.Http.Items[typeof(OnlineEndpoint)] ?? default((string?, string?)));
            endpoints.Create(scope, after.Id, primary, secondary);
        }

        scope.OnCommitted(gateway.Changed);
    }

    public override async ValueTask RenderAsync(ResourceCall call, Resource resource, JsonObject answer, CancellationToken ct)
    {
        var properties = (JsonObject)answer["properties"]!;
        var url = $"{call.Http.PublicUrls().Gateway(call.Http)}/{resource.Id.Name}";
        properties["scoringUri"] = url + "/score";
        properties["swaggerUri"] = url + "/swagger.json";
        properties["provisioningState"] = DeploymentState.Succeeded;
        properties["properties"] ??= new JsonObject();
        properties["traffic"] ??= new JsonObject();
        properties["mirrorTraffic"] ??= new JsonObject();
        properties.Remove("keys");
        answer["kind"] ??= "Managed";
        answer["identity"] ??= new JsonObject { ["type"] = "SystemAssigned" };
        if (!HttpMethods.IsGet(call.Http.Request.Method))
        {
            // Whoever reads this answer may send a scoring request next: the gateway must know by then.
            await gateway.PushAsync(ct);
        }
    }

    private static Dictionary<string, int> Shares(DocumentReader reader, string member, HashSet<string> known)
    {
        var shares = reader.Numbers(member);
        foreach (var (name, share) in shares.Where(t => !known.Contains(t.Key)))
        {
            if (share > 0)
            {
                reader.Invalid($"properties.{member}.{name}", $"The endpoint has no deployment '{name}'; it has {(known.Count == 0 ? "none" : string.Join(", ", known.Order(StringComparer.Ordinal)))}.");
            }
            else
            {
                (reader.Properties[member] as JsonObject)?.Remove(name);
            }
        }

        return shares;
    }

    private static void CheckMirror(DocumentReader reader, Dictionary<string, int> mirror, Dictionary<string, int> traffic)
    {
        var mirrored = mirror.Where(t => t.Value > 0).ToList();
        if (mirrored.Count > 1)
        {
            reader.Invalid("properties.mirrorTraffic", $"Only one deployment can get mirrored traffic; {string.Join(" and ", mirrored.Select(t => t.Key))} are given.");
        }

        foreach (var (name, share) in mirrored)
        {
            if (share > MostMirrored)
            {
                reader.Invalid($"properties.mirrorTraffic.{name}", $"At most {MostMirrored} percent of the traffic can be mirrored; {share} is given.");
            }

            if (traffic.Any(t => t.Value > 0 && t.Key.Equals(name, StringComparison.OrdinalIgnoreCase)))
            {
                reader.Invalid($"properties.mirrorTraffic.{name}", $"Deployment '{name}' has live traffic; a deployment gets live or mirrored traffic, not both.");
            }
        }
    }

    // Keys may be brought along at creation; they are sealed apart and never part of the stored document.
    private static void CheckKeys(DocumentReader reader)
    {
        if (reader.Properties["keys"] is JsonObject keys)
        {
            foreach (var name in (string[])["primaryKey", "secondaryKey"])
            {
                if (keys[name] is not null && keys.Text(name) is not { Length: >= 16 and <= 512 })
                {
                    reader.Invalid($"properties.keys.{name}", "A key has 16 to 512 characters.");
                }
            }
        }
    }

    private async Task CheckTrafficAsync(DocumentReader reader, ArmId id, CancellationToken ct)
    {
        var known = (await deployments.OfEndpointAsync(id, ct)).Select(d => d.Id.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var traffic = Shares(reader, "traffic", known);
        CheckMirror(reader, Shares(reader, "mirrorTraffic", known), traffic);
        var sum = traffic.Values.Sum();
        if (sum is not (0 or 100))
        {
            reader.Invalid("properties.traffic", $"Traffic must sum to 100 (or all be 0); it sums to {sum}.");
        }
    }
}
