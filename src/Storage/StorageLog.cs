using Microsoft.Extensions.Logging;

namespace Zaffre.Storage;

internal static partial class StorageLog
{
    [LoggerMessage(1200, LogLevel.Error, "Blob request {RequestId} failed: {Method} {Path}")]
    public static partial void RequestFailed(ILogger log, Exception exception, string requestId, string method, string path);

    [LoggerMessage(1201, LogLevel.Debug, "The client left: {Method} {Path}")]
    public static partial void ClientLeft(ILogger log, string method, string path);

    [LoggerMessage(1202, LogLevel.Debug, "Uncommitted blocks of {Blobs} blobs were a week old and are deleted")]
    public static partial void BlocksSwept(ILogger log, int blobs);

    [LoggerMessage(1203, LogLevel.Warning, "Old uncommitted blocks could not be deleted; tried again tomorrow")]
    public static partial void SweepFailed(ILogger log, Exception exception);
}
