using Microsoft.Extensions.Logging;

namespace Zaffre.Gateway;

internal static partial class GatewayLog
{
    [LoggerMessage(EventId = 3001, Level = LogLevel.Information, Message = "Gateway {Build} listens on https://localhost:{Port}, table version {Version}")]
    public static partial void Listening(this ILogger log, string build, int port, long version);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Information, Message = "Table version {Version}: {Endpoints} endpoints")]
    public static partial void TableApplied(this ILogger log, long version, int endpoints);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Warning, Message = "A run of deployment {Deployment} in process {Process} passed {Milliseconds} ms; its supervisor was told")]
    public static partial void RunTimedOut(this ILogger log, string deployment, int process, int milliseconds);

    [LoggerMessage(EventId = 3004, Level = LogLevel.Warning, Message = "Scoring process {Process} of deployment {Deployment} ended during a run")]
    public static partial void ProcessDied(this ILogger log, string deployment, int process);

    [LoggerMessage(EventId = 3005, Level = LogLevel.Debug, Message = "A request ended early: {Reason}")]
    public static partial void RequestBroken(this ILogger log, string reason);

    [LoggerMessage(EventId = 3006, Level = LogLevel.Information, Message = "Stop was asked for")]
    public static partial void Stopping(this ILogger log);

    [LoggerMessage(EventId = 3007, Level = LogLevel.Information, Message = "{Count} ONNX models of {Folder} are loaded")]
    public static partial void ModelsLoaded(this ILogger log, string folder, int count);

    [LoggerMessage(EventId = 3008, Level = LogLevel.Warning, Message = "ONNX models of {Folder} are refused: {Code}: {Reason}")]
    public static partial void ModelsRefused(this ILogger log, string folder, string code, string reason);
}
