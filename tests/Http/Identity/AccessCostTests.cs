using System.Diagnostics;
using Zaffre.Web;

namespace Zaffre.Tests.Http.Identity;

public sealed class AccessCostTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    /// <summary>A request's share of microseconds; generous, since other suites run beside this one.</summary>
    private static readonly TimeSpan Budget = TimeSpan.FromMicroseconds(50);

    [Fact]
    public async Task Checking_a_token_and_a_role_costs_microseconds()
    {
        const int Rounds = 20_000;
        var token = await host.TokenAsync(host.Get<Zaffre.Identity.LocalOwner>().ClientId, host.Get<Zaffre.Identity.LocalOwner>().ClientSecret);
        var (authenticator, authorizer) = (host.Get<IAuthenticator>(), host.Get<IAuthorizer>());
        var best = TimeSpan.MaxValue;
        for (var attempt = 0; attempt < 5 && best > Budget * Rounds; attempt++)
        {
            var clock = Stopwatch.StartNew();
            for (var round = 0; round < Rounds; round++)
            {
                var caller = (await authenticator.AuthenticateAsync(token, Surface.Management, default)).Value;
                Assert.True(await authorizer.AllowsAsync(caller, "Microsoft.MachineLearningServices/workspaces/jobs/read", host.Workspace.Child("jobs", "j"), false, default));
            }

            best = clock.Elapsed < best ? clock.Elapsed : best;
        }

        Assert.True(best <= Budget * Rounds, $"{best.TotalMicroseconds / Rounds:F1} microseconds a request");
    }
}
