using System.Net;
using System.Text;
using Zaffre.Identity.Access;
using Zaffre.Tests.Http.Identity;

namespace Zaffre.Tests.Http.Workspaces;

public sealed class ConnectionTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string SecretsReader = "ea01e6af-a1c1-4350-9563-ad00f8c72ec5";
    private readonly Arm arm = new(host);

    [Fact]
    public async Task A_connection_is_made_read_changed_and_deleted_and_its_secret_is_answered_on_request_only()
    {
        const string Secret = "a-very-secret-key-of-openai";
        var put = await arm.PutAsync("~/connections/openai", Body("apikey", $$""" "credentials":{"key":"{{Secret}}"},"metadata":{"ApiType":"Azure"},"isSharedToAll":true,"novel":{"x":1} """));
        Assert.Equal(HttpStatusCode.OK, put.Status);
        Assert.Equal("ApiKey", put.Body.At("properties.authType"));
        Assert.Equal("1", put.Body.At("properties.novel.x"));
        foreach (var shown in new[] { put.Body, (await arm.GetAsync("~/connections/openai")).Ok(), (await arm.GetAsync("~/connections")).Ok() })
        {
            Assert.DoesNotContain(Secret, shown.ToJsonString(), StringComparison.Ordinal);
        }

        var secrets = (await arm.PostAsync("~/connections/openai/listsecrets")).Ok();
        Assert.Equal(Secret, secrets.At("properties.credentials.key"));
        Assert.Equal("Azure", secrets.At("properties.metadata.ApiType"));
        Assert.Equal(Secret, (await arm.PostAsync("~/connections/openai/listSecrets")).Ok().At("properties.credentials.key"));
        await NowhereInTheDatabaseAsync(Secret);

        // What GET returned may be put back: the credentials stay, until their kind changes.
        (await arm.PutAsync("~/connections/openai", (await arm.GetAsync("~/connections/openai")).Ok().ToJsonString())).Ok();
        Assert.Equal(Secret, (await arm.PostAsync("~/connections/openai/listsecrets")).Ok().At("properties.credentials.key"));
        (await arm.PutAsync("~/connections/openai", Body("AAD", ""))).Ok();
        Assert.Equal("", (await arm.PostAsync("~/connections/openai/listsecrets")).Ok().At("properties.credentials.key"));

        Assert.Equal(HttpStatusCode.OK, (await arm.DeleteAsync("~/connections/openai")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await arm.DeleteAsync("~/connections/openai")).Status);
        (await arm.PostAsync("~/connections/openai/listsecrets")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_list_is_filtered_and_shows_old_clients_only_what_they_know()
    {
        (await arm.PutAsync("~/connections/git-1", Body("PAT", """ "credentials":{"pat":"p"} """))).Ok();
        (await arm.PutAsync("~/connections/key-1", Body("ApiKey", """ "credentials":{"key":"k"} """).Replace("\"Git\"", "\"AzureOpenAI\"", StringComparison.Ordinal))).Ok();
        Assert.Equal(["git-1"], (await arm.GetAsync("~/connections?category=git")).Ok().Names());
        Assert.Equal(["git-1", "key-1"], (await arm.GetAsync("~/connections?target=https://example.com")).Ok().Names());
        Assert.Empty((await arm.GetAsync("~/connections?target=https://elsewhere")).Ok().Names());
        using var client = await host.OwnerAsync();
        var first = await client.GetStringAsync(new Uri(arm.Main.Id + "/connections?api-version=2022-01-01-preview", UriKind.Relative));
        Assert.Contains("git-1", first, StringComparison.Ordinal);
        Assert.DoesNotContain("key-1", first, StringComparison.Ordinal);
        await arm.DeleteAsync("~/connections/git-1");
        await arm.DeleteAsync("~/connections/key-1");
    }

    [Fact]
    public async Task Everything_wrong_with_a_connection_is_listed()
    {
        Assert.Equal(["properties"], (await arm.PutAsync("~/connections/bad", "{}")).Targets());
        Assert.Equal(["connectionName"], (await arm.PutAsync("~/connections/-x", Body("None", ""))).Targets());
        Assert.Equal(["connectionName"], (await arm.PutAsync("~/connections/" + new string('a', 34), Body("None", ""))).Targets());
        Assert.Equal(
            ["properties.authType", "properties.category", "properties.credentials", "properties.metadata", "properties.target"],
            (await arm.PutAsync("~/connections/bad", """{"properties":{"authType":"Handshake","target":7,"credentials":"x","metadata":[]}}""")).Targets().Order(StringComparer.Ordinal));
        (await arm.GetAsync("~/connections/bad")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Secrets_have_a_right_of_their_own()
    {
        (await arm.PutAsync("~/connections/guarded", Body("PAT", """ "credentials":{"pat":"p"} """))).Ok();
        using var reader = host.With(await Tokens.PrincipalAsync(host, RoleCatalog.Reader, arm.Main.Id.Value));
        using var secretsReader = host.With(await Tokens.PrincipalAsync(host, SecretsReader, arm.Main.Id.Value));
        async Task<(HttpStatusCode Read, HttpStatusCode Secrets)> AskAsync(HttpClient client, string name)
        {
            using var read = await client.GetAsync(new Uri($"{arm.Main.Id}/connections/{name}?api-version=2024-04-01", UriKind.Relative));
            using var secrets = await client.PostAsync(new Uri($"{arm.Main.Id}/connections/{name}/listsecrets?api-version=2024-04-01", UriKind.Relative), null);
            return (read.StatusCode, secrets.StatusCode);
        }

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), await AskAsync(reader, "guarded"));
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), await AskAsync(secretsReader, "guarded"));
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.Forbidden), await AskAsync(reader, "absent"));
        await arm.DeleteAsync("~/connections/guarded");
    }

    private static string Body(string authType, string more) =>
        """{"properties":{"authType":"TYPE","category":"Git","target":"https://example.com"MORE}}"""
            .Replace("TYPE", authType, StringComparison.Ordinal).Replace("MORE", more.Trim().Length == 0 ? "" : "," + more, StringComparison.Ordinal);

    private async Task NowhereInTheDatabaseAsync(string secret)
    {
        foreach (var file in Directory.GetFiles(host.Root, "zaffre.db*"))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var content = new MemoryStream();
            await stream.CopyToAsync(content);
            Assert.Equal(-1, content.ToArray().AsSpan().IndexOf(Encoding.ASCII.GetBytes(secret)));
        }
    }
}
