namespace Zaffre.Server.Listening;

/// <summary>
/// The gateway's port. The gateway is a process of its own that outlives the server, so the port may rightly be held: by this
/// data directory's gateway.
/// </summary>
internal static class GatewayPort
{
    public static int Choose(ServerOptions options, int last)
    {
        if (options.GatewayPort != 0)
        {
            return IsFree(options.GatewayPort) || IsOurGateway(options)
                ? options.GatewayPort
                : throw new StartException($"Port {options.GatewayPort} is taken by {PortHolder.Describe(options.GatewayPort)}. Stop it, or choose another port with --gateway-port N (--gateway-port 0 picks a free one).");
        }

        if (last != 0 && (IsFree(last) || IsOurGateway(options with { GatewayPort = last })))
        {
            return last;
        }

        using var found = BoundPort.Bind(0, 0, "--gateway-port");
        return found.Port;
    }

    private static bool IsFree(int port)
    {
        using var bound = BoundPort.TryBind(port);
        return bound is not null;
    }

    private static bool IsOurGateway(ServerOptions options) =>
        PortHolder.Find(options.GatewayPort) is { } holder
        && holder.Command.Contains(" gateway ", StringComparison.Ordinal)
        && holder.Command.Contains(options.Data.Root, StringComparison.Ordinal);
}
