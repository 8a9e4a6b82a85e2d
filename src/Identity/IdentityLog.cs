using Microsoft.Extensions.Logging;

namespace Zaffre.Identity;

internal static partial class IdentityLog
{
    [LoggerMessage(1100, LogLevel.Information, "Wrote keys/owner.json for the owner {ClientId}")]
    public static partial void OwnerWritten(ILogger log, string clientId);

    [LoggerMessage(1101, LogLevel.Warning, "Refused a token request of client {ClientId}: {Error}")]
    public static partial void TokenRefused(ILogger log, string clientId, string error);
}
