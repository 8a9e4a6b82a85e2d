using Microsoft.Extensions.Logging;

namespace Zaffre.Compute;

internal static partial class ComputeLog
{
    [LoggerMessage(5001, LogLevel.Warning, "Task {Name}/{Attempt} left no exit record")]
    public static partial void Lost(ILogger logger, string name, int attempt);

    [LoggerMessage(5002, LogLevel.Information, "Task {Name}/{Attempt} did not end in its grace time and is killed")]
    public static partial void Killing(ILogger logger, string name, int attempt);

    [LoggerMessage(5003, LogLevel.Information, "Environment {Key} built in {Seconds} s")]
    public static partial void EnvironmentBuilt(ILogger logger, string key, double seconds);

    [LoggerMessage(5005, LogLevel.Error, "The requested build {Id} could not be answered")]
    public static partial void RequestedBuildFailed(ILogger logger, string id, Exception exception);

    [LoggerMessage(5004, LogLevel.Warning, "Environment {Key} could not be built: {Reason}")]
    public static partial void EnvironmentNotBuilt(ILogger logger, string key, string reason);

    [LoggerMessage(5006, LogLevel.Warning, "What a task left in {Folder} cannot be deleted: {Reason}")]
    public static partial void NotDeleted(ILogger logger, string folder, string reason);

    [LoggerMessage(5007, LogLevel.Information, "No sandboxes are kept ready, jobs start without: {Reason}")]
    public static partial void NotWarm(ILogger logger, string reason);
}
