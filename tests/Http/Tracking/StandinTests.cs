using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zaffre.Database;
using Zaffre.Identity;
using Zaffre.Kernel;
using Zaffre.Server;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>The mlflow stand-in, run by the system's Python against a server that listens.</summary>
public sealed class StandinTests : IAsyncLifetime
{
    private const string Job = "standin-job";

    private readonly string root = Directory.CreateTempSubdirectory("zaffre-standin-").FullName;
    private WebApplication? app;

    private string Address => Get<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddZaffre(new DataDirectory(root));
        app = builder.Build();
        app.UseZaffre();
        await app.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await app!.StopAsync();
        await app.DisposeAsync();
        Directory.Delete(root, recursive: true);
    }

    [Theory]
    [InlineData("standin_tests.py")]
    [InlineData("standin_models_tests.py")]
    [InlineData("standin_autolog_tests.py")]
    public async Task The_stand_in_works_against_the_server(string script)
    {
        var owner = Get<LocalOwner>();
        var workspace = new WorkspaceRef(owner.SubscriptionId, "zaffre", "main");
        await Get<IDatabase>().WriteAsync(
            scope => Get<IRuns>().Create(scope, new NewRun { Workspace = workspace, Id = Job, Experiment = "jobs", Status = RunStatus.Running }),
            default);
        var python = new ProcessStartInfo("/usr/bin/python3", [Repository("tests/Http/Tracking/python/" + script)])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment =
            {
                ["PYTHONPATH"] = Repository("python/standins"),
                ["PYTHONDONTWRITEBYTECODE"] = "1",
                ["ZAFFRE_PYTHON"] = Repository("python"),
                ["MLFLOW_TRACKING_URI"] = Address,
                ["MLFLOW_TRACKING_TOKEN"] = await OwnerTokenAsync(owner),
                ["TEST_JOB"] = Job,
                ["TEST_JOB_URI"] = TrackingUri.Of(Address, workspace),
                ["TEST_JOB_TOKEN"] = await Get<ITokens>().IssueForJobAsync(workspace.Child("jobs", Job), default),
            },
        };
        using var process = Process.Start(python)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error + await output);
        Assert.Matches(@"Ran \d+ tests", await error);
    }

    private static string Repository(string relative)
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Zaffre.slnx")))
        {
            at = at.Parent!;
        }

        return Path.Combine(at.FullName, relative);
    }

    private async Task<string> OwnerTokenAsync(LocalOwner owner)
    {
        using var client = new HttpClient { BaseAddress = new Uri(Address) };
        using var answer = await Identity.Tokens.AskAsync(client, owner);
        return (await Identity.Tokens.JsonAsync(answer)).GetProperty("access_token").GetString()!;
    }

    private T Get<T>()
        where T : notnull => app!.Services.GetRequiredService<T>();
}
