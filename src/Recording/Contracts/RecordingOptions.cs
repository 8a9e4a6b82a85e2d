using Zaffre.Kernel;

namespace Zaffre.Recording;

/// <summary>What to record, and where to.</summary>
public sealed record RecordingOptions
{
    /// <summary>The folder of the files; made with mode 0700 when it is missing.</summary>
    public required string Folder { get; init; }

    /// <summary>The server's data directory: what is known of its owner gets names of its own.</summary>
    public required DataDirectory Data { get; init; }

    /// <summary>Bytes that the files of a session may take together; the oldest goes first.</summary>
    public long Limit { get; init; } = 256L * 1024 * 1024;

    /// <summary>Bytes of a body that are kept; a longer one is known by length and digest.</summary>
    public int BodyLimit { get; init; } = 256 * 1024;
}
