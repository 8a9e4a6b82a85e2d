using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>The errors of the ARM surface, one method per wire error; <see cref="ArmResults.Problem"/> writes them.</summary>
public static class ArmErrors
{
    /// <summary>404: the resource named by the id does not exist.</summary>
    public static Problem NotFound(ArmId id) => new(ProblemKind.NotFound, "ResourceNotFound", $"The resource '{id}' was not found.");

    /// <summary>404: a thing that has no resource id of its own.</summary>
    public static Problem NotFound(string what) => new(ProblemKind.NotFound, "ResourceNotFound", $"{what} was not found.");

    /// <summary>400: a known operation or member without an engine in this version.</summary>
    public static Problem Unsupported(string what, string? target = null) =>
        new(ProblemKind.Unsupported, "OperationNotSupported", $"Zaffre does not support {what} yet.") { Target = target };

    /// <summary>400: the request breaks a rule.</summary>
    public static Problem Invalid(string message, string? target = null, string code = "UserError") => new(ProblemKind.Invalid, code, message) { Target = target };

    /// <summary>400: the body is not what the route reads.</summary>
    public static Problem InvalidBody(string message) => new(ProblemKind.Invalid, "InvalidRequestContent", message);

    /// <summary>409: the present state forbids the operation.</summary>
    public static Problem Conflict(string message, string code = "Conflict") => new(ProblemKind.Conflict, code, message);

    /// <summary>412: the ETag the caller sent is not the present one.</summary>
    public static Problem PreconditionFailed(ArmId id) =>
        new(ProblemKind.PreconditionFailed, "PreconditionFailed", $"The resource '{id}' was changed by someone else since it was read. Read it again and repeat the change.");

    /// <summary>401.</summary>
    public static Problem Unauthenticated(string code, string message) => new(ProblemKind.Unauthenticated, code, message);

    /// <summary>403: the caller's roles do not allow the action; says nothing about whether the resource exists.</summary>
    public static Problem Forbidden(Caller caller, string action, ArmId scope)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return new(ProblemKind.Forbidden, "AuthorizationFailed", $"The client '{caller.AppId ?? caller.ObjectId}' with object id '{caller.ObjectId}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.");
    }
}
