using Microsoft.Extensions.Logging;

namespace Zaffre.Storage;

internal static partial class StorageLog
{
    [LoggerMessage(1200, LogLevel.Error, "Blob request {RequestId} failed: {Method} {Path}")]
    public static partial void RequestFailed(ILogger log, Exception exception, string requestId, string method, string path);

    [LoggerMessage(1201, LogLevel.Debug, "The client left: {Method} {Path}")]
    public static partial void ClientLeft(ILogger log, string method, string path);
}
