using Microsoft.Extensions.Logging;

namespace Zaffre.Jobs;

internal static partial class JobsLog
{
    [LoggerMessage(6000, LogLevel.Error, "Work on {Subject} failed; it is tried again")]
    public static partial void WorkFailed(ILogger log, Exception exception, string subject);
}
