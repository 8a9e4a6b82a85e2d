using Microsoft.Extensions.Logging;

namespace Zaffre.Endpoints;

internal static partial class EndpointsLog
{
    [LoggerMessage(EventId = 7001, Level = LogLevel.Information, Message = "Took over gateway process {Process} on port {Port}")]
    public static partial void GatewayAdopted(this ILogger log, int process, int port);

    [LoggerMessage(EventId = 7002, Level = LogLevel.Information, Message = "Gateway process {Process} is of another build and is replaced")]
    public static partial void GatewayReplaced(this ILogger log, int process);

    [LoggerMessage(EventId = 7003, Level = LogLevel.Warning, Message = "Gateway process {Process} is gone")]
    public static partial void GatewayGone(this ILogger log, int process);

    [LoggerMessage(EventId = 7004, Level = LogLevel.Error, Message = "The gateway did not start; {LogFile} says why")]
    public static partial void GatewayDidNotStart(this ILogger log, string logFile);

    [LoggerMessage(EventId = 7005, Level = LogLevel.Warning, Message = "The routing table was not pushed: {Reason}")]
    public static partial void PushFailed(this ILogger log, string reason);

    [LoggerMessage(EventId = 7006, Level = LogLevel.Information, Message = "Deployment {Deployment} generation {Generation} serves")]
    public static partial void DeploymentServes(this ILogger log, string deployment, long generation);

    [LoggerMessage(EventId = 7007, Level = LogLevel.Warning, Message = "Deployment {Deployment} generation {Generation} failed: {Code}")]
    public static partial void DeploymentFailed(this ILogger log, string deployment, long generation, string code);

    [LoggerMessage(EventId = 7008, Level = LogLevel.Warning, Message = "Instance {Worker} of deployment {Deployment} ended: {Reason}")]
    public static partial void InstanceEnded(this ILogger log, string worker, string deployment, string reason);

    [LoggerMessage(EventId = 7009, Level = LogLevel.Information, Message = "Took over instance {Worker} of deployment {Deployment}")]
    public static partial void InstanceAdopted(this ILogger log, string worker, string deployment);

    [LoggerMessage(EventId = 7010, Level = LogLevel.Error, Message = "The loop of deployment {Deployment} met an unexpected error and goes on")]
    public static partial void LoopError(this ILogger log, Exception exception, string deployment);

    [LoggerMessage(EventId = 7011, Level = LogLevel.Warning, Message = "The gateway could not be asked to load {Folder}: {Reason}")]
    public static partial void ModelsNotPrepared(this ILogger log, string folder, string reason);
}
