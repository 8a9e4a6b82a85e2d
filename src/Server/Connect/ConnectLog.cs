using Microsoft.Extensions.Logging;

namespace Zaffre.Server.Connect;

internal static partial class ConnectLog
{
    [LoggerMessage(1900, LogLevel.Debug, "A CONNECT client ended: {Reason}")]
    public static partial void Ended(ILogger log, string reason);

    [LoggerMessage(1901, LogLevel.Information, "Refused a tunnel to {Host}:{Port} with {Status}")]
    public static partial void Refused(ILogger log, string host, int port, string status);

    [LoggerMessage(1902, LogLevel.Warning, "Accepting a CONNECT client failed: {Reason}")]
    public static partial void AcceptFailed(ILogger log, string reason);
}
