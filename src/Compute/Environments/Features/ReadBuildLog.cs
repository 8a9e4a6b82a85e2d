using System.Globalization;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Compute.Launch;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Compute.Environments.Features;

/// <summary>
/// GET <c>/zaffre/v1{W}/environments/builds/{key}/log</c>: what a build said, as plain text from byte <c>offset</c> on; with <c>follow=true</c> the answer goes on until the
/// build is over. The key is in the state of an environment and in the message of a job that failed by it.
/// </summary>
internal sealed class ReadBuildLog(EnvironmentCache cache, VirtualEnvironments built, DataDirectory data)
{
    private const int Chunk = 32 * 1024;

    private readonly FileTree files = new(data);

    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapGet("environments/builds/{key}/log", HandleAsync).Requires("workspaces/environments/versions/read");

    private static async Task<IResult> HandleAsync(HttpContext context, string key, ReadBuildLog log, CancellationToken ct)
    {
        var (follow, from) = (context.Request.Query["follow"].ToString(), context.Request.Query["offset"].ToString());
        if (follow is not ("" or "true" or "false"))
        {
            return ArmResults.Problem(ArmErrors.Invalid($"follow must be true or false; it is '{follow}'.", "follow"));
        }

        if (!long.TryParse(from.Length == 0 ? "0" : from, NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
        {
            return ArmResults.Problem(ArmErrors.Invalid($"offset must be a number of bytes; it is '{from}'.", "offset"));
        }

        if (!log.Exists(key))
        {
            return ArmResults.Problem(new Problem(ProblemKind.NotFound, "EnvironmentNotFound", $"There is no build '{key}'."));
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        await log.CopyAsync(key, offset, follow == "true", context.Response.Body, ct);
        return Results.Empty;
    }

    private bool Exists(string key) => EnvironmentCache.IsKey(key) && (built.IsBuilding(key) || Directory.Exists(cache.FolderOf(key)));

    private async Task CopyAsync(string key, long offset, bool follow, Stream to, CancellationToken ct)
    {
        var grown = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        using var watcher = Watch(key, grown.Writer);
        while (true)
        {
            var over = !follow || !built.IsBuilding(key);
            offset = await CopyNewAsync(key, offset, to, ct);
            if (over)
            {
                return;
            }

            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
            await Task.WhenAny(grown.Reader.ReadAsync(waiting.Token).AsTask(), built.BuildingAsync(key));
            await waiting.CancelAsync();
            ct.ThrowIfCancellationRequested();
        }
    }

    private FileSystemWatcher? Watch(string key, ChannelWriter<bool> grown)
    {
        if (!Directory.Exists(cache.FolderOf(key)))
        {
            return null;
        }

        var watcher = new FileSystemWatcher(cache.FolderOf(key), "build.log") { NotifyFilter = NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.FileName };
        watcher.Changed += (_, _) => grown.TryWrite(true);
        watcher.Created += (_, _) => grown.TryWrite(true);
        watcher.EnableRaisingEvents = true;
        return watcher;
    }

    private async Task<long> CopyNewAsync(string key, long offset, Stream to, CancellationToken ct)
    {
        using var file = files.OpenFile(cache.LogOf(key));
        var buffer = new byte[Chunk];
        while (file is not null && await RandomAccess.ReadAsync(file, buffer, offset, ct) is var read and > 0)
        {
            await to.WriteAsync(buffer.AsMemory(0, read), ct);
            await to.FlushAsync(ct);
            offset += read;
        }

        return offset;
    }
}
