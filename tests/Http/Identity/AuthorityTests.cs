using System.Net;
using System.Text.Json;
using Zaffre.Identity;

namespace Zaffre.Tests.Http.Identity;

public sealed class AuthorityTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private LocalOwner Owner => host.Get<LocalOwner>();

    [Theory]
    [InlineData("localhost:8443", "https://localhost:8443")]
    [InlineData("login.microsoftonline.com", "https://login.microsoftonline.com")]
    public async Task The_openid_document_names_the_host_that_was_asked(string asked, string expected)
    {
        var document = await GetAsync($"/{Owner.TenantId}/v2.0/.well-known/openid-configuration", asked);
        Assert.Equal($"{expected}/{Owner.TenantId}/v2.0", document.GetProperty("issuer").GetString());
        Assert.Equal($"{expected}/{Owner.TenantId}/oauth2/v2.0/token", document.GetProperty("token_endpoint").GetString());
        Assert.Equal($"{expected}/{Owner.TenantId}/oauth2/v2.0/authorize", document.GetProperty("authorization_endpoint").GetString());
        Assert.Equal($"{expected}/{Owner.TenantId}/discovery/v2.0/keys", document.GetProperty("jwks_uri").GetString());
        var adfs = await GetAsync("/adfs/.well-known/openid-configuration", asked);
        Assert.Equal($"{expected}/adfs/oauth2/v2.0/token", adfs.GetProperty("token_endpoint").GetString());
    }

    [Fact]
    public async Task The_published_key_verifies_the_tokens()
    {
        var token = (await Tokens.OwnerAsync(host)).Split('.');
        var kid = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token[0])).RootElement.GetProperty("kid").GetString();
        var keys = await GetAsync($"/{Owner.TenantId}/discovery/v2.0/keys", "localhost:8443");
        var key = Assert.Single(keys.GetProperty("keys").EnumerateArray(), k => k.GetProperty("kid").GetString() == kid);
        using var rsa = System.Security.Cryptography.RSA.Create(new System.Security.Cryptography.RSAParameters
        {
            Modulus = System.Buffers.Text.Base64Url.DecodeFromChars(key.GetProperty("n").GetString()),
            Exponent = System.Buffers.Text.Base64Url.DecodeFromChars(key.GetProperty("e").GetString()),
        });
        Assert.True(rsa.VerifyData(
            System.Text.Encoding.ASCII.GetBytes(token[0] + "." + token[1]),
            System.Buffers.Text.Base64Url.DecodeFromChars(token[2]),
            System.Security.Cryptography.HashAlgorithmName.SHA256,
            System.Security.Cryptography.RSASignaturePadding.Pkcs1));
    }

    [Fact]
    public async Task Instance_discovery_knows_the_azure_authority_and_our_own_and_no_other()
    {
        const string Path = "/common/discovery/instance?api-version=1.1&authorization_endpoint=";
        var found = await GetAsync(Path + Uri.EscapeDataString($"https://localhost:8443/{Owner.TenantId}/oauth2/v2.0/authorize"), "login.microsoftonline.com");
        Assert.Equal($"https://localhost:8443/{Owner.TenantId}/v2.0/.well-known/openid-configuration", found.GetProperty("tenant_discovery_endpoint").GetString());
        var unknown = await GetAsync(Path + "https%3A%2F%2Fevil.example%2Ft%2Foauth2%2Fv2.0%2Fauthorize", "login.microsoftonline.com", HttpStatusCode.BadRequest);
        Assert.Equal("invalid_instance", unknown.GetProperty("error").GetString());
    }

    [Fact]
    public async Task The_cli_finds_the_tenants_guid_behind_its_other_name()
    {
        var found = await GetAsync("/adfs/adfs/.well-known/openid-configuration", "localhost:8443");
        Assert.Equal(host.Get<LocalOwner>().TenantId, found.GetProperty("issuer").GetString()!.Split('/')[3]);
        var unknown = await GetAsync("/adfs/contoso.com/.well-known/openid-configuration", "localhost:8443", HttpStatusCode.BadRequest);
        Assert.Contains("AADSTS90002", unknown.GetProperty("error_description").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cloud_document_has_what_the_sdk_reads()
    {
        var cloud = (await GetAsync("/metadata/endpoints?api-version=2019-05-01", "localhost:8443"))[0];
        Assert.Equal("AzureLocal", cloud.GetProperty("name").GetString());
        Assert.Equal("https://localhost:8443/", cloud.GetProperty("portal").GetString());
        Assert.Equal("https://localhost:8443/", cloud.GetProperty("resourceManager").GetString());
        Assert.Equal("https://localhost:8443/adfs", cloud.GetProperty("authentication").GetProperty("loginEndpoint").GetString());
        Assert.Equal("core.localhost:8443", cloud.GetProperty("suffixes").GetProperty("storage").GetString());
    }

    [Fact]
    public async Task The_older_token_endpoint_speaks_resource_and_text_numbers()
    {
        using var client = host.Anonymous();
        using var answer = await client.PostAsync(new Uri($"/{Owner.TenantId}/oauth2/token", UriKind.Relative), new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = Owner.ClientId,
            ["client_secret"] = Owner.ClientSecret,
            ["resource"] = "https://management.core.windows.net/",
        }));
        var body = await Tokens.JsonAsync(answer);
        Assert.Equal("3600", body.GetProperty("expires_in").GetString());
        Assert.Equal("https://management.core.windows.net/", body.GetProperty("resource").GetString());
    }

    [Fact]
    public async Task A_lifetime_of_twelve_hours_can_be_asked_for_and_no_longer_one()
    {
        using var client = host.Anonymous();
        using var twelve = await Tokens.AskAsync(client, Owner, more: [("zaffre_lifetime", "43200")]);
        Assert.Equal(43200, (await Tokens.JsonAsync(twelve)).GetProperty("expires_in").GetInt32());
        using var more = await Tokens.AskAsync(client, Owner, more: [("zaffre_lifetime", "43201")]);
        Assert.Equal(HttpStatusCode.BadRequest, more.StatusCode);
    }

    [Theory]
    [InlineData("tenant", 400, "invalid_request", 90002)]
    [InlineData("secret", 401, "invalid_client", 7000215)]
    [InlineData("no secret", 401, "invalid_client", 7000218)]
    [InlineData("client", 400, "unauthorized_client", 700016)]
    [InlineData("grant", 400, "unsupported_grant_type", 70003)]
    [InlineData("no grant", 400, "invalid_request", 900144)]
    [InlineData("scope", 400, "invalid_scope", 1002012)]
    [InlineData("resource", 400, "invalid_resource", 500011)]
    [InlineData("assertion", 400, "invalid_request", 700027)]
    public async Task A_refused_token_request_says_why_in_the_authoritys_shape(string wrong, int status, string error, int code)
    {
        using var client = host.Anonymous();
        using var answer = await (wrong switch
        {
            "tenant" => Tokens.AskAsync(client, Owner, tenant: "contoso.onmicrosoft.com"),
            "secret" => Tokens.AskAsync(client, Owner, secret: "wrong"),
            "no secret" => Tokens.AskAsync(client, Owner, more: [("client_secret", "")]),
            "client" => Tokens.AskAsync(client, Owner, more: [("client_id", Guid.NewGuid().ToString())]),
            "grant" => Tokens.AskAsync(client, Owner, more: [("grant_type", "password")]),
            "no grant" => Tokens.AskAsync(client, Owner, more: [("grant_type", "")]),
            "scope" => Tokens.AskAsync(client, Owner, more: [("scope", "openid profile")]),
            "resource" => Tokens.AskAsync(client, Owner, more: [("scope", "https://graph.microsoft.com/.default")]),
            _ => Tokens.AskAsync(client, Owner, more: [("client_secret", ""), ("client_assertion", "a.b.c")]),
        });
        var body = await Tokens.JsonAsync(answer);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(error, body.GetProperty("error").GetString());
        Assert.StartsWith($"AADSTS{code}: ", body.GetProperty("error_description").GetString(), StringComparison.Ordinal);
        Assert.Equal(code, body.GetProperty("error_codes")[0].GetInt32());
        Assert.True(Guid.TryParse(body.GetProperty("trace_id").GetString(), out _));
    }

    [Theory]
    [InlineData("application/json", "{}", 900144)]
    [InlineData("multipart/form-data; boundary=x", "a=%zz", 900144)]
    [InlineData("application/x-www-form-urlencoded", "", 900144)]
    [InlineData("application/x-www-form-urlencoded", "grant_type=client_credentials&client_id=%00", 90013)]
    [InlineData("application/x-www-form-urlencoded", "grant_type=client_credentials&grant_type=x", 90013)]
    public async Task A_body_that_is_no_form_is_refused_in_the_authoritys_shape(string type, string body, int code)
    {
        using var client = host.Anonymous();
        using var content = new StringContent(body);
        content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(type);
        using var answer = await client.PostAsync(new Uri($"/{Owner.TenantId}/oauth2/v2.0/token", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(code, (await Tokens.JsonAsync(answer)).GetProperty("error_codes")[0].GetInt32());
    }

    private async Task<JsonElement> GetAsync(string path, string asked, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var client = host.Anonymous();
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://" + asked + path);
        using var answer = await client.SendAsync(request);
        Assert.Equal(status, answer.StatusCode);
        return await Tokens.JsonAsync(answer);
    }
}
