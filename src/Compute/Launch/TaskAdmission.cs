using Zaffre.Identity;
using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>Decides whether tasks may run here at all, and how.</summary>
internal interface ITaskAdmission
{
    /// <summary>The host's sandbox, or why no task may run without one.</summary>
    ValueTask<Outcome<HostSandbox>> AdmitAsync(CancellationToken ct);
}

/// <summary>With a sandbox always; without one only while nobody but the owner of this host can ask.</summary>
internal sealed class TaskAdmission(ComputeOptions options, IPrincipals principals) : ITaskAdmission
{
    private readonly Lazy<Task<HostSandbox>> host = new(() => HostSandbox.ProbeAsync(options, CancellationToken.None));

    public async ValueTask<Outcome<HostSandbox>> AdmitAsync(CancellationToken ct)
    {
        var found = await host.Value.WaitAsync(ct).ConfigureAwait(false);
        return found.Sandboxed ? found
            : Refuses(found, alone: options.LoopbackOnly && (await principals.ListAsync(ct).ConfigureAwait(false)).Count <= 1) is { } refused ? refused
            : found;
    }

    /// <summary>Why no task runs on a host like this; <paramref name="alone"/>: only the owner of the host can ask.</summary>
    internal static Problem? Refuses(HostSandbox host, bool alone) => host switch
    {
        { Sandboxed: true } => null,
        { Root: true } => new Problem(ProblemKind.Invalid, "SandboxUnavailable", "Jobs are refused: this server is root, and bubblewrap is missing or does not work on this host. Install the package 'bubblewrap', or start the server as another user."),
        _ when alone => null,
        _ => new Problem(ProblemKind.Invalid, "SandboxUnavailable", "Jobs are refused: bubblewrap is missing or does not work on this host, and without it jobs run only while the server listens on loopback and has a single principal. Install the package 'bubblewrap'."),
    };
}
