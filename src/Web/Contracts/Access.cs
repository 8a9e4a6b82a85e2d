using Microsoft.AspNetCore.Http;

namespace Zaffre.Web;

/// <summary>Who makes a request. A job's own token names the job and may act only as its workspace's member on the job's behalf.</summary>
public sealed record Caller(string ObjectId, string Name, string Type, string TenantId)
{
    /// <summary>The application id of a service principal.</summary>
    public string? AppId { get; init; }

    /// <summary>The resource id of the job whose token this is, else null.</summary>
    public ArmId? Job { get; init; }

    /// <summary>The server itself: background work has no request behind it.</summary>
    public static Caller System { get; } = new("00000000-0000-0000-0000-000000000000", "Zaffre", "Application", "");
}

/// <summary>Which surface a token is for; a token of one surface is refused on the others.</summary>
public enum Surface
{
    /// <summary>Resource management and the data plane of the workspace (ARM, run history, MLflow).</summary>
    Management,

    /// <summary>Blobs.</summary>
    Storage,
}

/// <summary>Turns a bearer token into its caller. Implemented by Identity.</summary>
public interface IAuthenticator
{
    /// <summary>The caller, or why the token is refused (<c>InvalidAuthenticationToken</c>, <c>ExpiredAuthenticationToken</c>, ...).</summary>
    Task<Kernel.Outcome<Caller>> AuthenticateAsync(string bearer, Surface surface, CancellationToken ct);
}

/// <summary>Decides whether a caller's roles allow an action on a scope. Implemented by Identity.</summary>
public interface IAuthorizer
{
    /// <summary>
    /// True when a role assignment at <paramref name="scope"/> or above allows <paramref name="action"/>
    /// (full name: <c>Microsoft.MachineLearningServices/workspaces/jobs/write</c>).
    /// </summary>
    ValueTask<bool> AllowsAsync(Caller caller, string action, ArmId scope, bool isDataAction, CancellationToken ct);

    /// <summary>True when a role assignment on something below <paramref name="scope"/> allows <paramref name="action"/> there.</summary>
    ValueTask<bool> AllowsBelowAsync(Caller caller, string action, ArmId scope, CancellationToken ct);
}

/// <summary>The caller of a request that the access middleware let through.</summary>
public static class CallerFeature
{
    private static readonly object Key = new();

    /// <summary>The authenticated caller; throws on anonymous routes.</summary>
    public static Caller Caller(this HttpContext context) =>
        context?.Items[Key] as Caller ?? throw new InvalidOperationException("This route has no authenticated caller.");

    internal static void SetCaller(this HttpContext context, Caller caller) => context.Items[Key] = caller;
}
