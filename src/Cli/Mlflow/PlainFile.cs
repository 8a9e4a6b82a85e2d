using System.Runtime.InteropServices;

namespace Zaffre.Cli.Mlflow;

/// <summary>Tells regular files from pipes, sockets and devices, which would block whoever opens them.</summary>
internal static partial class PlainFile
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const uint TypeOnly = 1;
    private const int ModeOffset = 28;
    private const int TypeBits = 0xf000;
    private const int Regular = 0x8000;

    /// <summary>True for a regular file that is no link.</summary>
    public static unsafe bool IsRegular(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return File.Exists(path) && new FileInfo(path).LinkTarget is null;
        }

        // struct statx is the same on every architecture; its mode is at byte 28.
        var buffer = stackalloc byte[256];
        return Statx(CurrentFolder, path, NoFollow, TypeOnly, buffer) == 0 && (*(ushort*)(buffer + ModeOffset) & TypeBits) == Regular;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int folder, string path, int flags, uint mask, byte* status);
}
