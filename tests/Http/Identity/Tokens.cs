using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Identity;
using Zaffre.Identity.Tokens;

namespace Zaffre.Tests.Http.Identity;

/// <summary>Asking the authority for tokens as the clients do, and making the tokens it must refuse.</summary>
internal static class Tokens
{
    public static Task<HttpResponseMessage> AskAsync(HttpClient client, LocalOwner owner, string? tenant = null, string? secret = null, params (string Name, string Value)[] more)
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = owner.ClientId,
            ["client_secret"] = secret ?? owner.ClientSecret,
            ["client_info"] = "1",
            ["scope"] = "https://management.azure.com/.default",
        };
        foreach (var (name, value) in more)
        {
            form[name] = value;
        }

        return client.PostAsync(new Uri($"/{tenant ?? owner.TenantId}/oauth2/v2.0/token", UriKind.Relative), new FormUrlEncodedContent(form.Where(f => f.Value.Length > 0)));
    }

    public static async Task<string> OwnerAsync(ZaffreHost host, string scope = "https://management.azure.com/.default") =>
        await ForAsync(host, host.Get<LocalOwner>(), scope);

    /// <summary>A new principal with the role at the scope (no role when null), and its token.</summary>
    public static async Task<string> PrincipalAsync(ZaffreHost host, string? roleId, string scope)
    {
        var created = await host.Get<IPrincipals>().CreateAsync("somebody", "test", CancellationToken.None);
        if (roleId is not null)
        {
            using var owner = host.With(await OwnerAsync(host));
            var body = new { properties = new { roleDefinitionId = "/providers/Microsoft.Authorization/roleDefinitions/" + roleId, principalId = created.Principal.ObjectId, principalType = "ServicePrincipal" } };
            using var answer = await owner.PutAsJsonAsync($"{scope}/providers/Microsoft.Authorization/roleAssignments/{Guid.NewGuid()}?api-version=2022-04-01", body);
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        }

        return await ForAsync(host, host.Get<LocalOwner>() with { ClientId = created.Principal.ClientId, ClientSecret = created.ClientSecret });
    }

    /// <summary>A token with a wrong header or wrong claims, signed with the authority's own key.</summary>
    public static string Forge(ZaffreHost host, Action<JsonObject>? header = null, Action<JsonObject>? claims = null)
    {
        var key = host.Get<SigningKeys>().Current;
        var owner = host.Get<LocalOwner>();
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var payload = new AccessClaims
        {
            Audience = "https://management.azure.com",
            ObjectId = owner.ObjectId,
            ClientId = owner.ClientId,
            TokenId = "t",
            NotBefore = now - 10,
            Expires = now + 600,
        }.ToJson(owner.TenantId);
        var head = new JsonObject { ["typ"] = "JWT", ["alg"] = "RS256", ["kid"] = key.Id };
        header?.Invoke(head);
        claims?.Invoke(payload);
        var signed = Encode(head) + "." + Encode(payload);
        return signed + "." + Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(signed)));
    }

    /// <summary>The classic confusion: HS256 with the RSA public key as the secret.</summary>
    public static string ForgeWithPublicKey(ZaffreHost host)
    {
        var parts = Forge(host, header => header["alg"] = "HS256").Split('.');
        using var rsa = RSA.Create(new RSAParameters
        {
            Modulus = Base64Url.DecodeFromChars(host.Get<SigningKeys>().Current.Modulus),
            Exponent = Base64Url.DecodeFromChars(host.Get<SigningKeys>().Current.Exponent),
        });
        var mac = HMACSHA256.HashData(Encoding.ASCII.GetBytes(rsa.ExportSubjectPublicKeyInfoPem()), Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"));
        return $"{parts[0]}.{parts[1]}.{Base64Url.EncodeToString(mac)}";
    }

    public static async Task<JsonElement> JsonAsync(HttpResponseMessage answer) =>
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;

    private static async Task<string> ForAsync(ZaffreHost host, LocalOwner owner, string scope = "https://management.azure.com/.default")
    {
        using var client = host.Anonymous();
        using var answer = await AskAsync(client, owner, more: [("scope", scope)]);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await JsonAsync(answer)).GetProperty("access_token").GetString()!;
    }

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}
