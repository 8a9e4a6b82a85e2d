using System.Security.Cryptography;
using System.Text;
using Zaffre.Kernel;

namespace Zaffre.Gateway;

/// <summary>
/// The short folder that holds the sockets of one data directory's serving: socket paths end at 108 bytes, data directories do not.
/// The folder may be crossed by all (a worker's user must reach its own folder below it), listed by its owner only.
/// </summary>
public sealed class ServingFolder
{
    private ServingFolder(string root) => Root = root;

    /// <summary>Absolute path of the folder.</summary>
    public string Root { get; }

    /// <summary>The socket on which the gateway takes orders from the server; mode 0600.</summary>
    public string ControlSocket => Path.Combine(Root, "gateway.sock");

    /// <summary>Held for as long as a gateway of this data directory lives.</summary>
    public string Lock => Path.Combine(Root, "gateway.lock");

    /// <summary>Written when the gateway has begun to listen.</summary>
    public string ReadyFile => Path.Combine(Root, "gateway.ready");

    /// <summary>The folder of one instance's sockets.</summary>
    public string Worker(string id) => Path.Combine(Root, "w", id);

    /// <summary>The folder for <paramref name="data"/>, made when missing. Throws when somebody else's folder is in its place.</summary>
    public static ServingFolder Open(DataDirectory data)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.TrimEndingDirectorySeparator(Path.GetFullPath(data.Root)))))[..12];
        var root = Path.Combine(Parent(), $"zaffre-{hash}");
        Directory.CreateDirectory(root);
        var info = new DirectoryInfo(root);
        if (info.LinkTarget is not null)
        {
            throw new IOException($"{root} is a link; the server keeps its sockets there and needs a folder of its own.");
        }

        // Fails when the folder belongs to somebody else, which is what is to be found out.
        File.SetUnixFileMode(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        Directory.CreateDirectory(Path.Combine(root, "w"));
        return new ServingFolder(root);
    }

    private static string Parent()
    {
        if (Environment.IsPrivilegedProcess && Directory.Exists("/run"))
        {
            return "/run";
        }

        return Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 and < 40 } user && Directory.Exists(user) ? user : "/tmp";
    }
}
