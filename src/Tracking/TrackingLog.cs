using Microsoft.Extensions.Logging;

namespace Zaffre.Tracking;

internal static partial class TrackingLog
{
    [LoggerMessage(EventId = 5001, Level = LogLevel.Error, Message = "The MLflow operation {Path} failed")]
    public static partial void OperationFailed(ILogger logger, Exception exception, string path);

    [LoggerMessage(EventId = 5002, Level = LogLevel.Warning, Message = "What runs say could not be indexed; it is tried again, and searches by text index what is missing themselves")]
    public static partial void TextNotIndexed(ILogger logger, Exception exception);
}
