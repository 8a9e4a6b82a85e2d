using System.Security.Cryptography;
using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>The launcher script as a file: named by its content, so that an upgrade never changes a script that a running task's shell still reads.</summary>
internal sealed class LaunchScript(DataDirectory data)
{
    private readonly Lazy<string> path = new(() => Write(data));

    public string Path => path.Value;

    private static string Write(DataDirectory data)
    {
        using var resource = typeof(LaunchScript).Assembly.GetManifestResourceStream("launch.sh")!;
        using var memory = new MemoryStream();
        resource.CopyTo(memory);
        var content = memory.ToArray();
        var folder = data.Path("tasks");
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var script = System.IO.Path.Combine(folder, $".launch-{Convert.ToHexStringLower(SHA256.HashData(content))[..16]}.sh");
        if (!File.Exists(script))
        {
            var aside = script + "." + Environment.ProcessId;
            File.WriteAllBytes(aside, content);
            File.Move(aside, script, overwrite: true);
        }

        return script;
    }
}
