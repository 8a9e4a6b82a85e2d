namespace Zaffre.Storage.Blobs;

/// <summary>A failure as the blob protocol names it.</summary>
internal sealed record BlobError(int Status, string Code, string Message)
{
    /// <summary>Headers that the answer needs beside the code.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];
}

/// <summary>Ends a blob operation with an expected failure.</summary>
internal sealed class BlobException(BlobError error) : Exception(error.Message)
{
    public BlobError Error { get; } = error;
}
