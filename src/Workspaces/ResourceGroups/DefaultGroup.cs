using System.Text.Json.Nodes;
using Microsoft.Extensions.Hosting;
using Zaffre.Database;
using Zaffre.Identity;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>Makes resource group <c>zaffre</c> before the server answers its first request.</summary>
internal sealed class DefaultGroup(IDatabase database, IResources resources, LocalOwner owner) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var id = new ArmId($"/subscriptions/{owner.SubscriptionId}/resourceGroups/zaffre");
        if (await resources.FindAsync(id, cancellationToken) is null)
        {
            await database.WriteAsync(
                scope => resources.Put(scope, id, new JsonObject { ["location"] = WorkspaceStore.DefaultLocation, ["tags"] = new JsonObject() }, Caller.System),
                cancellationToken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
