using Zaffre.Storage;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>Content that no manifest is kept of: what a submission would bring, and what was looked at for a plan only.</summary>
internal interface IComingContent
{
    /// <summary>The files of the content with this digest, or null when it is not known here.</summary>
    IReadOnlyList<ContentFile>? FilesOf(string digest);

    /// <summary>True when the content lies with the client, so that no text of it can be read.</summary>
    bool IsElsewhere(string digest);

    /// <summary>The lines of one of its files by <see cref="Differences.LineDigests"/>, or null when they were not told, or the file is no text.</summary>
    string[]? LinesOf(string digest, string file);
}
