using Microsoft.AspNetCore.Http;

namespace Zaffre.Storage;

/// <summary>What a shared access signature allows.</summary>
[Flags]
public enum BlobRights
{
    None = 0,
    Read = 1,
    Add = 2,
    Create = 4,
    Write = 8,
    Delete = 16,
    List = 32,
}

/// <summary>Makes shared access signatures: URLs that carry their own permission. URLs are built per answer and never stored.</summary>
public interface IBlobSigner
{
    /// <summary>
    /// A URL of the blob, or with an empty name of the container, signed for <paramref name="lifetime"/> from now
    /// (valid five minutes earlier for clocks that lag). The host fits the one the request came to.
    /// </summary>
    Task<Uri> SignAsync(HttpContext context, BlobAddress blob, BlobRights rights, TimeSpan lifetime, CancellationToken ct);

    /// <summary>The plain URL of the blob or container, without a signature.</summary>
    Uri Plain(HttpContext context, BlobAddress blob);
}
