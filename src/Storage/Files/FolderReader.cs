using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Zaffre.Storage.Files;

/// <summary>Reads the raw entries of an open folder.</summary>
internal static class FolderReader
{
    public const byte Unknown = 0;
    public const byte Folder = 4;
    public const byte File = 8;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Every entry but <c>.</c> and <c>..</c>: its name in bytes with a closing zero, and its kind as the folder says.</summary>
    public static IEnumerable<(byte[] Name, byte Kind)> Read(SafeFileHandle folder)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            int length;
            while ((length = Native.ReadEntries(folder, buffer)) > 0)
            {
                for (var at = 0; at < length; at += BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(at + 16)))
                {
                    var name = NameAt(buffer, at + 19);
                    if (name is not ([(byte)'.', 0] or [(byte)'.', (byte)'.', 0]))
                    {
                        yield return (name, buffer[at + 18]);
                    }
                }
            }

            // A folder that is deleted while it is open has no entries any more.
            SafeFiles.Check(length == -Native.ENOENT ? 0 : length, "a folder");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The name as text, false when it is no UTF-8.</summary>
    public static bool TryText(byte[] name, [NotNullWhen(true)] out string? text)
    {
        try
        {
            text = Strict.GetString(name, 0, name.Length - 1);
            return true;
        }
        catch (DecoderFallbackException)
        {
            text = null;
            return false;
        }
    }

    /// <summary>Deletes everything in the folder, without following a link.</summary>
    public static void Empty(SafeFileHandle folder)
    {
        foreach (var (name, kind) in Read(folder).ToList())
        {
            if (kind is not (Folder or Unknown))
            {
                Remove(folder, name, isFolder: false);
                continue;
            }

            var fd = Native.OpenFolderRaw(folder, name);
            if (fd < 0)
            {
                Remove(folder, name, isFolder: false);
                continue;
            }

            using (var below = new SafeFileHandle(fd, ownsHandle: true))
            {
                Empty(below);
            }

            Remove(folder, name, isFolder: true);
        }
    }

    private static void Remove(SafeFileHandle folder, byte[] name, bool isFolder)
    {
        var error = Native.Unlink(folder, name, isFolder);
        if (error is not (0 or -Native.ENOENT or -Native.ENOTEMPTY))
        {
            throw SafeFiles.Failure(error, "a folder entry");
        }
    }

    private static byte[] NameAt(byte[] buffer, int start) =>
        buffer.AsSpan(start, buffer.AsSpan(start).IndexOf((byte)0) + 1).ToArray();
}
