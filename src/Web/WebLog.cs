using Microsoft.Extensions.Logging;

namespace Zaffre.Web;

internal static partial class WebLog
{
    [LoggerMessage(1100, LogLevel.Error, "Request {RequestId} failed: {Method} {Path}")]
    public static partial void RequestFailed(ILogger log, Exception exception, string requestId, string method, string path);

    [LoggerMessage(1101, LogLevel.Debug, "The client left: {Method} {Path}")]
    public static partial void ClientAborted(ILogger log, string method, string path);
}
