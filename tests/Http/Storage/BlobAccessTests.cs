using System.Net;
using Microsoft.AspNetCore.Http;
using Zaffre.Identity;
using Zaffre.Storage;

namespace Zaffre.Tests.Http.Storage;

public sealed class BlobAccessTests(ZaffreHost host) : IClassFixture<ZaffreHost>, IAsyncLifetime
{
    private BlobClient blobs = null!;

    public async Task InitializeAsync()
    {
        blobs = await BlobClient.CreateAsync(host, "accesstests");
        await blobs.PutAsync("here", "x");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Without_a_credential_the_answer_says_how_to_get_one()
    {
        var reply = (await blobs.SendAsync("GET", "/cont/here", null, sign: false)).Fails(401, "NoAuthenticationInformation");
        Assert.Contains("authorization_uri=https://login.microsoftonline.com/", reply["WWW-Authenticate"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SharedKey accesstests:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 403, "AuthenticationFailed")]
    [InlineData("SharedKey accesstests", 403, "AuthenticationFailed")]
    [InlineData("SharedKeyLite accesstests:AAAA", 403, "AuthenticationFailed")]
    [InlineData("Basic dTpw", 403, "AuthenticationFailed")]
    [InlineData("Bearer nonsense", 401, "InvalidAuthenticationInfo")]
    [InlineData("Bearer eyJhbGciOiJub25lIn0.e30.", 401, "InvalidAuthenticationInfo")]
    public async Task A_bad_credential_is_refused(string authorization, int status, string code) =>
        (await blobs.SendAsync("GET", "/cont/here", null, sign: false, ("Authorization", authorization))).Fails(status, code);

    [Fact]
    public async Task A_signature_allows_what_it_says_and_no_more()
    {
        var read = await SignAsync("here", BlobRights.Read);
        Assert.Equal("x", (await blobs.SendAsync("GET", read, null, sign: false)).Is(HttpStatusCode.OK).Text);
        (await blobs.SendAsync("PUT", read, "y", sign: false, ("x-ms-blob-type", "BlockBlob"))).Fails(403, "AuthorizationPermissionMismatch");
        (await blobs.SendAsync("DELETE", read, null, sign: false)).Fails(403, "AuthorizationPermissionMismatch");
        (await blobs.SendAsync("GET", read.Replace("/here?", "/other?", StringComparison.Ordinal), null, sign: false)).Fails(403, "AuthenticationFailed");
        (await blobs.SendAsync("GET", read.Replace("sp=r", "sp=rwd", StringComparison.Ordinal), null, sign: false)).Fails(403, "AuthenticationFailed");

        var container = await SignAsync("", BlobRights.Read | BlobRights.Create | BlobRights.List);
        var query = container[container.IndexOf('?', StringComparison.Ordinal)..];
        (await blobs.SendAsync("GET", $"/cont{query}&restype=container&comp=list", null, sign: false)).Is(HttpStatusCode.OK);
        (await blobs.SendAsync("PUT", $"/cont/created{query}", "1", sign: false, ("x-ms-blob-type", "BlockBlob"))).Is(HttpStatusCode.Created);
        (await blobs.SendAsync("PUT", $"/cont/created{query}", "2", sign: false, ("x-ms-blob-type", "BlockBlob"))).Fails(409, "BlobAlreadyExists");
        (await blobs.SendAsync("DELETE", $"/cont{query}&restype=container", null, sign: false)).Fails(403, "AuthorizationResourceTypeMismatch");
        (await blobs.SendAsync("GET", $"/other/here{query}", null, sign: false)).Fails(403, "AuthenticationFailed");
    }

    [Fact]
    public async Task An_expired_signature_is_refused() =>
        (await blobs.SendAsync("GET", await SignAsync("here", BlobRights.Read, TimeSpan.FromMinutes(-1)), null, sign: false)).Fails(403, "AuthenticationFailed");

    [Fact]
    public async Task A_bearer_token_needs_the_storage_audience_and_a_role()
    {
        var owner = host.Get<LocalOwner>();
        var storage = await host.TokenAsync(owner.ClientId, owner.ClientSecret, "https://storage.azure.com/.default");
        var management = await host.TokenAsync(owner.ClientId, owner.ClientSecret);
        Assert.Equal("x", (await BearerAsync("GET", "/cont/here", storage)).Is(HttpStatusCode.OK).Text);
        (await BearerAsync("PUT", "/cont/by-token", storage)).Is(HttpStatusCode.Created);
        (await BearerAsync("GET", "/cont/here", management)).Fails(401, "InvalidAuthenticationInfo");

        var stranger = await host.Get<IPrincipals>().CreateAsync("stranger", "test", default);
        var token = await host.TokenAsync(stranger.Principal.ClientId, stranger.ClientSecret, "https://storage.azure.com/.default");
        (await BearerAsync("GET", "/cont/here", token)).Fails(403, "AuthorizationPermissionMismatch");
        (await BearerAsync("PUT", "/cont/by-stranger", token)).Fails(403, "AuthorizationPermissionMismatch");
    }

    private Task<BlobReply> BearerAsync(string method, string target, string token) =>
        blobs.SendAsync(method, target, method == "PUT" ? "" : null, sign: false, ("Authorization", "Bearer " + token), ("x-ms-blob-type", "BlockBlob"));

    private async Task<string> SignAsync(string name, BlobRights rights, TimeSpan? lifetime = null)
    {
        var context = new DefaultHttpContext { RequestServices = host.Services };
        context.Request.Host = new HostString("management.azure.com");
        var url = await host.Get<IBlobSigner>().SignAsync(context, new BlobAddress(blobs.Account, BlobClient.Container, name), rights, lifetime ?? TimeSpan.FromHours(1), default);
        Assert.Equal(blobs.Host, url.Host);
        return url.PathAndQuery;
    }
}
