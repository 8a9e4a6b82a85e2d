using Microsoft.Win32.SafeHandles;

namespace Zaffre.Storage.Files;

/// <summary>A file that is being written and that nobody sees: committed by one rename, or gone when disposed.</summary>
internal sealed class TempFile(SafeFiles files, SafeFileHandle handle, string name) : IDisposable
{
    private bool committed;

    public SafeFileHandle Handle => handle;

    /// <summary>Bytes written so far.</summary>
    public long Length { get; private set; }

    /// <summary>Appends; throws <see cref="StoreFullException"/> when there is no room.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(handle, bytes, Length);
        }
        catch (IOException error) when (error.HResult is Native.ENOSPC or Native.EDQUOT or Native.EFBIG)
        {
            throw new StoreFullException(error.HResult);
        }

        Length += bytes.Length;
    }

    /// <summary>Appends a range of another file, by reference where the file system can.</summary>
    public void Append(SafeFileHandle source, long offset, long length)
    {
        var target = Length;
        var end = target + length;
        while (target < end)
        {
            var copied = Native.CopyRange(source, ref offset, handle, ref target, end - target);
            if (copied <= 0)
            {
                throw copied == 0 ? new EndOfStreamException("The source became shorter while it was copied.") : SafeFiles.Failure((int)copied, name);
            }
        }

        Length = end;
    }

    public FileStamp Touch(DateTimeOffset now) => files.Touch(handle, now);

    public void Sync() => SafeFiles.Check(Native.Sync(handle), name);

    /// <summary>Moves the file to its place; false when a folder is there (or anything, with <paramref name="noReplace"/>).</summary>
    public bool MoveTo(string path, bool noReplace = false)
    {
        var moved = files.MoveTemp(name, path, noReplace);
        committed |= moved;
        return moved;
    }

    public void Dispose()
    {
        handle.Dispose();
        if (!committed)
        {
            files.DeleteTemp(name);
        }
    }
}
