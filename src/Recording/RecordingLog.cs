using Microsoft.Extensions.Logging;

namespace Zaffre.Recording;

internal static partial class RecordingLog
{
    [LoggerMessage(EventId = 9001, Level = LogLevel.Information, Message = "Traffic is recorded, without secrets, in {Folder}")]
    public static partial void Records(this ILogger log, string folder);

    [LoggerMessage(EventId = 9002, Level = LogLevel.Error, Message = "Recording ended: {File} cannot be written")]
    public static partial void WriteFailed(this ILogger log, Exception exception, string file);

    [LoggerMessage(EventId = 9003, Level = LogLevel.Warning, Message = "Exchange {Number} is not in the recording: it could not be sanitized ({Reason})")]
    public static partial void NotSanitized(this ILogger log, long number, string reason);
}
