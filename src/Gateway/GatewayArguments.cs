using System.Globalization;
using Zaffre.Kernel;

namespace Zaffre.Gateway;

internal static class GatewayArguments
{
    /// <summary>The options, or null when the arguments make no sense.</summary>
    public static GatewayOptions? Parse(IReadOnlyList<string> args)
    {
        GatewayOptions options = new() { Data = new DataDirectory(Path.GetFullPath(Environment.GetEnvironmentVariable("ZAFFRE_DATA") is { Length: > 0 } set ? set : ".zaffre")) };
        for (var i = 0; i < args.Count; i += 2)
        {
            if (i + 1 >= args.Count)
            {
                return null;
            }

            var value = args[i + 1];
            var port = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 65535 ? number : -1;
            switch (args[i])
            {
                case "--data":
                    options = options with { Data = new DataDirectory(Path.GetFullPath(value)) };
                    break;
                case "--port" when port >= 0:
                    options = options with { Port = port };
                    break;
                case "--http-port" when port >= 0:
                    options = options with { HttpPort = port };
                    break;
                case "--certificate":
                    options = options with { CertificateFile = value };
                    break;
                case "--key":
                    options = options with { KeyFile = value };
                    break;
                default:
                    return null;
            }
        }

        return options;
    }
}
