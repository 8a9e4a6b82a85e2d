using Zaffre.Storage.Files;

namespace Zaffre.Storage.Blobs;

/// <summary>The conditional headers of a request. Times have whole seconds.</summary>
internal sealed record BlobConditions
{
    public static BlobConditions None { get; } = new();

    /// <summary>Only when nothing is there, as <c>If-None-Match: *</c>.</summary>
    public static BlobConditions Absent { get; } = new() { IfNoneMatch = ["*"] };

    public IReadOnlyList<string> IfMatch { get; init; } = [];

    public IReadOnlyList<string> IfNoneMatch { get; init; } = [];

    public DateTimeOffset? IfModifiedSince { get; init; }

    public DateTimeOffset? IfUnmodifiedSince { get; init; }

    public bool MustBeAbsent => IfNoneMatch is ["*"];

    /// <summary>For reads, which answer 304 when what the client has is still good.</summary>
    public void CheckRead(FileStamp current)
    {
        if (IfMatch.Count > 0 && !Matches(IfMatch, current))
        {
            throw BlobErrors.ConditionNotMet();
        }

        if (IfMatch.Count == 0 && IfUnmodifiedSince < current.LastModified)
        {
            throw BlobErrors.ConditionNotMet();
        }

        var known = IfNoneMatch.Count > 0 ? Matches(IfNoneMatch, current) : IfModifiedSince >= current.LastModified;
        if (known)
        {
            throw BlobErrors.NotModified();
        }
    }

    /// <summary>For the source of a copy, where there is nothing to be fresh.</summary>
    public void CheckSource(FileStamp current)
    {
        if ((IfMatch.Count > 0 && !Matches(IfMatch, current))
            || (IfNoneMatch.Count > 0 && Matches(IfNoneMatch, current))
            || IfUnmodifiedSince < current.LastModified
            || IfModifiedSince >= current.LastModified)
        {
            throw BlobErrors.SourceConditionNotMet();
        }
    }

    /// <summary>For writes; <paramref name="current"/> is null when there is no blob.</summary>
    public void CheckWrite(FileStamp? current)
    {
        if (current is not { } stamp)
        {
            if (IfMatch.Count > 0)
            {
                throw BlobErrors.ConditionNotMet();
            }

            return;
        }

        if (MustBeAbsent)
        {
            throw BlobErrors.BlobExists();
        }

        if ((IfMatch.Count > 0 && !Matches(IfMatch, stamp))
            || (IfNoneMatch.Count > 0 && Matches(IfNoneMatch, stamp))
            || IfUnmodifiedSince < stamp.LastModified
            || IfModifiedSince >= stamp.LastModified)
        {
            throw BlobErrors.ConditionNotMet();
        }
    }

    private static bool Matches(IReadOnlyList<string> tags, FileStamp current) =>
        tags.Any(tag => tag == "*" || tag == current.ETag || tag == current.Tag || tag == $"W/{current.ETag}");
}
