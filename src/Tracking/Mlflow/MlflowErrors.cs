using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Ends an operation with an error of MLflow's protocol; thrown inside a write unit it undoes the unit.</summary>
internal sealed class MlflowException(int status, string code, string message) : Exception(message)
{
    public int Status => status;

    public string Code => code;
}

/// <summary>The errors of MLflow's protocol. Clients branch on the code; the messages are MLflow's where they are quoted in docs and tests.</summary>
internal static class MlflowErrors
{
    public static MlflowException Invalid(string message) => new(StatusCodes.Status400BadRequest, "INVALID_PARAMETER_VALUE", message);

    public static MlflowException BadRequest(string message) => new(StatusCodes.Status400BadRequest, "BAD_REQUEST", message);

    public static MlflowException InvalidValue(string parameter, string value, string reason) =>
        Invalid($"Invalid value {value} for parameter '{parameter}' supplied: {reason}");

    public static MlflowException Missing(string parameter) =>
        Invalid($"Missing value for required parameter '{parameter}'. See the API docs for more information about request parameters.");

    public static MlflowException AlreadyExists(string message) => new(StatusCodes.Status400BadRequest, "RESOURCE_ALREADY_EXISTS", message);

    public static MlflowException NotFound(string message) => new(StatusCodes.Status404NotFound, "RESOURCE_DOES_NOT_EXIST", message);

    public static MlflowException NoExperiment(string id) => NotFound($"No Experiment with id={id} exists");

    public static MlflowException NoRun(string id) => NotFound($"Run with id={id} not found");

    public static MlflowException NoModel(string name) => NotFound($"Registered Model with name={name} not found");

    public static MlflowException NoVersion(string name, string version) => NotFound($"Model Version (name={name}, version={version}) not found");

    public static MlflowException NoEndpoint(string message) => new(StatusCodes.Status404NotFound, "ENDPOINT_NOT_FOUND", message);

    /// <summary>MLflow's own workspaces, which this server does not have; permanent, so no 5xx, which clients would send again for minutes.</summary>
    public static MlflowException NoWorkspaces() =>
        new(StatusCodes.Status400BadRequest, "FEATURE_DISABLED", "Workspace APIs are not available: workspaces are not enabled on this server");

    public static MlflowException Denied(string message) => new(StatusCodes.Status403Forbidden, "PERMISSION_DENIED", message);

    /// <summary>A problem of another module in MLflow's words.</summary>
    public static MlflowException From(Problem problem) => new(
        StatusOf(problem.Kind),
        problem.Kind switch
        {
            ProblemKind.Unauthenticated => "UNAUTHENTICATED",
            ProblemKind.Forbidden => "PERMISSION_DENIED",
            ProblemKind.NotFound => "RESOURCE_DOES_NOT_EXIST",
            ProblemKind.Conflict or ProblemKind.PreconditionFailed => "RESOURCE_CONFLICT",
            ProblemKind.Throttled => "REQUEST_LIMIT_EXCEEDED",
            ProblemKind.InsufficientStorage => "RESOURCE_EXHAUSTED",
            _ => "INVALID_PARAMETER_VALUE",
        },
        problem.Message);

    private static int StatusOf(ProblemKind kind) => Web.ArmResults.StatusOf(kind);
}
