using Microsoft.Extensions.Logging;

namespace Zaffre.Jobs;

internal static partial class JobsLog
{
    [LoggerMessage(6000, LogLevel.Error, "Work on {Subject} failed; it is tried again")]
    public static partial void WorkFailed(ILogger log, Exception exception, string subject);

    [LoggerMessage(6001, LogLevel.Warning, "{Job} fills the disk of the data directory and is ended: {Free} bytes are free, it wrote {Written}")]
    public static partial void DiskFills(ILogger log, string job, long free, long written);

    [LoggerMessage(6002, LogLevel.Warning, "The system log of {Job} could not be written: {Reason}")]
    public static partial void SystemLogNotWritten(ILogger log, string job, string reason);
}
