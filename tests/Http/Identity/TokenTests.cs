using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Identity;
using Zaffre.Identity.Tokens;
using Zaffre.Web;

namespace Zaffre.Tests.Http.Identity;

public sealed class TokenTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    /// <summary>A route that every authorized owner may read.</summary>
    private const string Probe = "/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01";

    private LocalOwner Owner => host.Get<LocalOwner>();

    [Theory]
    [InlineData("https://management.azure.com/.default", "https://management.azure.com")]
    [InlineData("https://management.azure.com//.default", "https://management.azure.com/")]
    [InlineData("https://management.core.windows.net//.default", "https://management.core.windows.net/")]
    [InlineData("https://ml.azure.com/.default", "https://ml.azure.com")]
    [InlineData("https://ml.azure./.default", "https://ml.azure.")]
    [InlineData("https://localhost:8443//.default", "https://localhost:8443/")]
    public async Task A_token_of_the_management_surface_is_accepted_with_and_without_slashes(string scope, string audience)
    {
        var token = await Tokens.OwnerAsync(host, scope);
        var payload = System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1]);
        Assert.Equal(audience, JsonDocument.Parse(payload).RootElement.GetProperty("aud").GetString());
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(token));
    }

    [Fact]
    public async Task A_token_of_the_storage_surface_is_refused_by_the_management_surface_and_accepted_by_its_own()
    {
        var token = await Tokens.OwnerAsync(host, "https://storage.azure.com/.default");
        using var answer = await GetAsync(token);
        await AssertRefusedAsync(answer, "InvalidAuthenticationTokenAudience");
        Assert.True((await host.Get<IAuthenticator>().AuthenticateAsync(token, Surface.Storage, default)).Succeeded);
    }

    public static TheoryData<string> Forgeries =>
    [
        "alg none", "alg none without signature", "HS256 with the public key", "unknown kid", "no kid", "crit", "PS256",
        "expired", "not yet valid", "other issuer", "other tenant", "no exp", "exp as text", "aud as list", "unknown principal",
        "changed payload", "changed signature", "four parts", "padding", "not base64", "empty", "duplicate claim", "too long", "payload is a list",
    ];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task A_forged_or_malformed_token_is_refused(string forgery)
    {
        using var answer = await GetAsync(Make(forgery));
        await AssertRefusedAsync(answer, forgery == "expired" ? "ExpiredAuthenticationToken" : forgery == "empty" ? "AuthenticationFailed" : "InvalidAuthenticationToken");
    }

    [Fact]
    public async Task The_token_from_which_the_forgeries_are_made_is_accepted() =>
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(Tokens.Forge(host)));

    [Fact]
    public async Task A_clock_that_is_half_a_minute_off_is_forgiven()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(Tokens.Forge(host, claims: c => c["exp"] = now - 30)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(Tokens.Forge(host, claims: c => c["nbf"] = now + 30)));
    }

    [Fact]
    public async Task A_jobs_token_acts_in_its_workspace_only_and_ends_when_revoked()
    {
        var workspace = new WorkspaceRef(Owner.SubscriptionId, "zaffre", "main");
        var token = await host.Get<ITokens>().IssueForJobAsync(workspace.Child("jobs", "j1"), default);
        var job = (await host.Get<IAuthenticator>().AuthenticateAsync(token, Surface.Management, default)).Value;
        Assert.Equal(workspace.Child("jobs", "J1"), job.Job);
        Assert.True(await MayAsync(job, "workspaces/jobs/write", workspace.Child("jobs", "j2")));
        Assert.False(await MayAsync(job, "workspaces/jobs/read", new WorkspaceRef(Owner.SubscriptionId, "zaffre", "main2").Id));
        Assert.False(await MayAsync(job, "workspaces/write", workspace.Id));
        Assert.False(await MayAsync(job, "workspaces/computes/write", workspace.Child("computes", "c")));
        Assert.False(await host.Get<IAuthorizer>().AllowsAsync(job, "Microsoft.Authorization/roleAssignments/write", workspace.Id, false, default));

        await host.Get<Database.IDatabase>().WriteAsync(scope => { host.Get<ITokens>().RevokeJob(scope, workspace.Child("jobs", "j1")); return 0; }, default);
        using var answer = await GetAsync(token);
        await AssertRefusedAsync(answer, "InvalidAuthenticationToken");
    }

    [Fact]
    public async Task Tokens_outlive_one_roll_of_the_signing_key_and_not_two()
    {
        var token = await Tokens.OwnerAsync(host);
        host.Get<SigningKeys>().Roll(DateTimeOffset.UtcNow);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(token));
        Assert.Equal(2, host.Get<SigningKeys>().Live.Count);
        host.Get<SigningKeys>().Roll(DateTimeOffset.UtcNow);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(token));
    }

    [Fact]
    public async Task A_jobs_token_is_valid_as_long_as_the_job_runs_over_years_restarts_and_rolls_of_the_signing_key()
    {
        var clock = new SetClock();
        var old = new ZaffreHost { Also = services => services.AddSingleton<TimeProvider>(clock) };
        await old.InitializeAsync();
        try
        {
            var job = new WorkspaceRef(old.Get<LocalOwner>().SubscriptionId, "zaffre", "main").Child("jobs", "long");
            var (token, persons) = (await old.Get<ITokens>().IssueForJobAsync(job, default), await Tokens.OwnerAsync(old));
            var first = old.Get<SigningKeys>().Current.Id;
            for (var days = 100; days <= 500; days += 100)
            {
                clock.Set = TimeSpan.FromDays(days);
                await old.RestartAsync();
                Assert.True((await old.Get<IAuthenticator>().AuthenticateAsync(token, Surface.Management, default)).Succeeded, $"after {days} days");
                Assert.False((await old.Get<IAuthenticator>().AuthenticateAsync(persons, Surface.Management, default)).Succeeded);
            }

            // The other tokens of so old a key are not valid: nobody but a running job has one.
            Assert.False(old.Get<SigningKeys>().IsLive(first));
            Assert.DoesNotContain(old.Get<SigningKeys>().Live, key => key.Id == first);
            await old.Get<Database.IDatabase>().WriteAsync(scope => { old.Get<ITokens>().RevokeJob(scope, job); return 0; }, default);
            Assert.False((await old.Get<IAuthenticator>().AuthenticateAsync(token, Surface.Management, default)).Succeeded);
        }
        finally
        {
            await old.DisposeAsync();
        }
    }

    [Fact]
    public async Task Tokens_of_a_deleted_principal_are_refused()
    {
        var principals = host.Get<IPrincipals>();
        var token = await Tokens.PrincipalAsync(host, "acdd72a7-3385-48ef-bd42-f606fba81ae7", "/subscriptions/" + Owner.SubscriptionId);
        var id = System.Text.Json.JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1])).RootElement.GetProperty("oid").GetString()!;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(token, $"/subscriptions/{Owner.SubscriptionId}{Probe}"));
        Assert.True(await principals.DeleteAsync(id, "test", default));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(token));
    }

    [Fact]
    public void The_files_with_secrets_are_readable_by_their_owner_only()
    {
        foreach (var name in new[] { "owner.json", "signing.json" })
        {
            _ = host.Get<SigningKeys>();
            _ = Owner;
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(host.Root, "keys", name)));
        }

        Assert.DoesNotContain(Owner.ClientSecret, Owner.ToString(), StringComparison.Ordinal);
    }

    private string Make(string forgery)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var good = Tokens.Forge(host);
        var parts = good.Split('.');
        return forgery switch
        {
            "alg none" => Tokens.Forge(host, h => h["alg"] = "none"),
            "alg none without signature" => string.Join('.', Tokens.Forge(host, h => h["alg"] = "none").Split('.')[..2]) + ".",
            "HS256 with the public key" => Tokens.ForgeWithPublicKey(host),
            "unknown kid" => Tokens.Forge(host, h => h["kid"] = "another"),
            "no kid" => Tokens.Forge(host, h => h.Remove("kid")),
            "crit" => Tokens.Forge(host, h => h["crit"] = new JsonArray("exp")),
            "PS256" => Tokens.Forge(host, h => h["alg"] = "PS256"),
            "expired" => Tokens.Forge(host, claims: c => c["exp"] = now - 120),
            "not yet valid" => Tokens.Forge(host, claims: c => c["nbf"] = now + 120),
            "other issuer" => Tokens.Forge(host, claims: c => c["iss"] = "https://sts.windows.net/" + Guid.NewGuid() + "/"),
            "other tenant" => Tokens.Forge(host, claims: c => c["tid"] = Guid.NewGuid().ToString()),
            "no exp" => Tokens.Forge(host, claims: c => c.Remove("exp")),
            "exp as text" => Tokens.Forge(host, claims: c => c["exp"] = "9999999999"),
            "aud as list" => Tokens.Forge(host, claims: c => c["aud"] = new JsonArray("https://management.azure.com")),
            "unknown principal" => Tokens.Forge(host, claims: c => c["oid"] = Guid.NewGuid().ToString()),
            "changed payload" => $"{parts[0]}.{Tokens.Forge(host, claims: c => c["uti"] = "u").Split('.')[1]}.{parts[2]}",
            "changed signature" => $"{parts[0]}.{parts[1]}.{(parts[2][0] == 'A' ? 'B' : 'A')}{parts[2][1..]}",
            "four parts" => good + ".x",
            "padding" => good + "==",
            "not base64" => "a!b.c.d",
            "empty" => "",
            "duplicate claim" => Duplicate(parts),
            "too long" => new string('a', 20_000),
            "payload is a list" => parts[0] + ".W10." + parts[2],
            _ => throw new ArgumentOutOfRangeException(nameof(forgery)),
        };
    }

    private string Duplicate(string[] parts)
    {
        var payload = System.Text.Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]));
        var signed = parts[0] + "." + System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(payload[..^1] + ",\"oid\":\"x\"}"));
        return signed + "." + System.Buffers.Text.Base64Url.EncodeToString(host.Get<SigningKeys>().Current.Sign(System.Text.Encoding.ASCII.GetBytes(signed)));
    }

    private ValueTask<bool> MayAsync(Caller caller, string action, ArmId scope) =>
        host.Get<IAuthorizer>().AllowsAsync(caller, "Microsoft.MachineLearningServices/" + action, scope, false, default);

    private async Task<HttpResponseMessage> GetAsync(string token, string path = Probe)
    {
        using var client = host.With(token);
        return await client.GetAsync(new Uri(path, UriKind.Relative));
    }

    private async Task<HttpStatusCode> StatusAsync(string token, string path = Probe)
    {
        using var answer = await GetAsync(token, path);
        return answer.StatusCode;
    }

    private static async Task AssertRefusedAsync(HttpResponseMessage answer, string code)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
        Assert.Equal(code, (await Tokens.JsonAsync(answer)).GetProperty("error").GetProperty("code").GetString());
    }
}
