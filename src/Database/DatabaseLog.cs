using Microsoft.Extensions.Logging;

namespace Zaffre.Database;

internal static partial class DatabaseLog
{
    [LoggerMessage(1000, LogLevel.Error, "A commit of {Units} units failed; none of them was written")]
    public static partial void CommitFailed(ILogger log, Exception exception, int units);

    [LoggerMessage(1001, LogLevel.Error, "An action after a commit failed")]
    public static partial void CommittedActionFailed(ILogger log, Exception exception);

    [LoggerMessage(1002, LogLevel.Error, "Sealing the event log failed; it is tried again with the next event")]
    public static partial void SealingFailed(ILogger log, Exception exception);
}
