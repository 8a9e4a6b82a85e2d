using Microsoft.Extensions.Logging;

namespace Zaffre.Tracking;

internal static partial class TrackingLog
{
    [LoggerMessage(EventId = 5001, Level = LogLevel.Error, Message = "The MLflow operation {Path} failed")]
    public static partial void OperationFailed(ILogger logger, Exception exception, string path);
}
