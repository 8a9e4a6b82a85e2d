using System.Diagnostics.CodeAnalysis;
using Zaffre.Kernel;
using Zaffre.Storage.Files;

namespace Zaffre.Storage.Blobs;

/// <summary>What the store throws, as errors of the protocol and as problems for the other modules.</summary>
internal static class BlobProblems
{
    /// <summary>The protocol's error for an expected failure; false for what is a bug or a broken disk.</summary>
    public static bool TryError(Exception exception, [NotNullWhen(true)] out BlobError? error)
    {
        error = exception switch
        {
            BlobException expected => expected.Error,
            StoreFullException full => BlobErrors.Full(full.Message).Error,
            PathBlockedException => BlobErrors.PathBlocked().Error,
            _ => null,
        };
        return error is not null;
    }

    public static bool TryOf(Exception exception, [NotNullWhen(true)] out Problem? problem)
    {
        problem = TryError(exception, out var error) ? Of(error) : null;
        return problem is not null;
    }

    public static Problem Of(BlobError error) => new(
        error switch
        {
            { Code: "InsufficientStorage" } => ProblemKind.InsufficientStorage,
            { Code: "OperationNotSupported" } => ProblemKind.Unsupported,
            { Status: 401 } => ProblemKind.Unauthenticated,
            { Status: 403 } => ProblemKind.Forbidden,
            { Status: 404 } => ProblemKind.NotFound,
            { Status: 409 } => ProblemKind.Conflict,
            { Status: 412 } => ProblemKind.PreconditionFailed,
            { Status: 413 } => ProblemKind.TooLarge,
            _ => ProblemKind.Invalid,
        },
        error.Code,
        error.Message);
}
