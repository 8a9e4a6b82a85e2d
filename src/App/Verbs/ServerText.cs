using System.Globalization;
using Zaffre.Server;

namespace Zaffre.App;

/// <summary>What the verbs say about a server.</summary>
internal static class ServerText
{
    public static void WriteReady(ServerState state)
    {
        Console.WriteLine("Zaffre is ready.");
        WriteAddresses(state);
        Console.WriteLine("Run a client against it:  zaffre exec -- CMD     or:  eval \"$(zaffre env)\"");
    }

    public static void WriteAddresses(ServerState state)
    {
        Console.WriteLine($"  control plane  {state.Url}");
        Console.WriteLine($"  proxy          {state.ProxyUrl}");
        Console.WriteLine($"  gateway        {state.GatewayUrl}");
        Console.WriteLine($"  process        {state.Pid.ToString(CultureInfo.InvariantCulture)}");
    }
}
