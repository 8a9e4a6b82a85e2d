using Microsoft.Extensions.Hosting;

namespace Zaffre.Workspaces;

/// <summary>Makes workspace <c>main</c> before the server answers its first request.</summary>
internal sealed class DefaultWorkspace(IWorkspaces workspaces) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => workspaces.EnsureDefaultAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
