using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Compute.Environments;

/// <summary>
/// Environments that somebody asked to be built, each with the operation that its asker polls. A request is a file until it is done, so that a server that
/// comes back goes on with it.
/// </summary>
internal sealed class RequestedBuilds(
    DataDirectory data, IDatabase database, IOperations operations, IAssets assets, IEnvironments environments, ILogger<RequestedBuilds> logger) : BackgroundService
{
    private readonly Channel<string> requests = Channel.CreateUnbounded<string>();

    private string Folder => data.Path("environments", "requested");

    /// <summary>Accepts a request for an environment version; <paramref name="compute"/> says for which compute, null for the host.</summary>
    public async Task<Operation> AcceptAsync(Workspace home, AssetVersion environment, string? compute, CancellationToken ct)
    {
        var workspace = home.Ref;
        Directory.CreateDirectory(Folder);
        var request = new JsonObject { ["subscription"] = workspace.SubscriptionId, ["group"] = workspace.ResourceGroup, ["workspace"] = workspace.Name, ["environment"] = $"{environment.Name}:{environment.Version}", ["compute"] = compute };
        var operation = await database.WriteAsync(
            scope =>
            {
                var started = operations.Start(scope, environment.Id, home.Location);
                File.WriteAllText(Path.Combine(Folder, started.Id + ".tmp"), request.ToJsonString());
                File.Move(Path.Combine(Folder, started.Id + ".tmp"), Path.Combine(Folder, started.Id + ".json"));
                return started;
            },
            ct);
        requests.Writer.TryWrite(operation.Id);
        return operation;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var left in Directory.Exists(Folder) ? Directory.GetFiles(Folder, "*.json") : [])
        {
            requests.Writer.TryWrite(Path.GetFileNameWithoutExtension(left));
        }

        var running = new List<Task>();
        try
        {
            await foreach (var id in requests.Reader.ReadAllAsync(stoppingToken))
            {
                running.RemoveAll(task => task.IsCompleted);
                running.Add(AnswerAsync(id, stoppingToken));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await Task.WhenAll(running);
        }
    }

    private async Task AnswerAsync(string id, CancellationToken stopping)
    {
        var file = Path.Combine(Folder, id + ".json");
        try
        {
            var request = (JsonObject)JsonNode.Parse(await File.ReadAllTextAsync(file, stopping))!;
            var outcome = await BuildAsync(request, stopping);
            await database.WriteAsync(
                scope =>
                {
                    if (outcome.TryGet(out var real, out var problem))
                    {
                        operations.Succeed(scope, id, new JsonObject { ["kind"] = real.Kind.ToString(), ["interpreter"] = real.Interpreter, ["explanation"] = new JsonArray([.. real.Explanation]) });
                    }
                    else
                    {
                        operations.Fail(scope, id, problem);
                    }

                    return true;
                },
                CancellationToken.None);
            File.Delete(file);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The file stays: the next server goes on.
        }
        catch (Exception e) when (e is IOException or System.Text.Json.JsonException or ProblemException)
        {
            ComputeLog.RequestedBuildFailed(logger, id, e);
        }
    }

    private async Task<Outcome<RealEnvironment>> BuildAsync(JsonObject request, CancellationToken ct)
    {
        var workspace = new WorkspaceRef(request.Text("subscription")!, request.Text("group")!, request.Text("workspace")!);
        return (await assets.ResolveAsync(workspace, AssetType.Environment, request.Text("environment")!, ct)).TryGet(out var environment, out var gone)
            ? await environments.ResolveAsync(new EnvironmentRequest { Document = environment.Properties, Workspace = workspace, Compute = request.Text("compute") }, ct)
            : gone;
    }
}
