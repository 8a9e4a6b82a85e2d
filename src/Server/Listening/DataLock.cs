using System.Globalization;
using Zaffre.Kernel;

namespace Zaffre.Server.Listening;

/// <summary>Held for as long as a server uses its data directory, so that two never do. The kernel lets it go when the process ends, however it ends.</summary>
internal sealed class DataLock : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly FileStream file;

    private DataLock(FileStream file) => this.file = file;

    public static DataLock Acquire(DataDirectory data)
    {
        var folder = data.Path("run");
        Directory.CreateDirectory(data.Root);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (true)
        {
            if (TryOpen(PathOf(data), FileAccess.ReadWrite, FileShare.None) is { } file)
            {
                return new DataLock(file);
            }

            // Whoever only asks whether a server runs holds the lock for an instant.
            if (Environment.TickCount64 > deadline)
            {
                var holder = ServerState.Read(data) is { } state ? $" (process {state.Pid.ToString(CultureInfo.InvariantCulture)}, {state.Url})" : "";
                throw new StartException($"Another Zaffre server{holder} already uses {data.Root}. Stop it with: zaffre down --data {data.Root}");
            }

            Thread.Sleep(20);
        }
    }

    /// <summary>Whether a server uses the data directory now.</summary>
    public static bool IsHeld(DataDirectory data)
    {
        if (!File.Exists(PathOf(data)))
        {
            return false;
        }

        using var file = TryOpen(PathOf(data), FileAccess.Read, FileShare.Read);
        return file is null;
    }

    public void Dispose() => file.Dispose();

    private static string PathOf(DataDirectory data) => data.Path("run", "server.lock");

    private static FileStream? TryOpen(string path, FileAccess access, FileShare share)
    {
        try
        {
            return new FileStream(path, access == FileAccess.Read ? FileMode.Open : FileMode.OpenOrCreate, access, share);
        }
        catch (IOException exception) when (exception is not FileNotFoundException and not DirectoryNotFoundException)
        {
            return null;
        }
    }
}
