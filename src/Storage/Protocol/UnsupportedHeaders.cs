using Microsoft.AspNetCore.Http;
using Zaffre.Storage.Blobs;

namespace Zaffre.Storage.Protocol;

/// <summary>Request headers that change what is stored or sent, and that this server has no engine for: ignoring one would store something else than was asked for.</summary>
internal static class UnsupportedHeaders
{
    private static readonly string[] Refused =
    [
        "x-ms-encryption-key", "x-ms-encryption-scope", "x-ms-source-encryption-key", "x-ms-access-tier", "x-ms-tags", "x-ms-if-tags",
        "x-ms-immutability-policy-until-date", "x-ms-immutability-policy-mode", "x-ms-legal-hold", "x-ms-structured-body",
        "x-ms-range-get-content-crc64", "x-ms-content-crc64", "x-ms-source-content-crc64", "x-ms-proposed-lease-id", "x-ms-lease-duration", "x-ms-seal-blob", "x-ms-expiry-option",
    ];

    public static void Check(IHeaderDictionary headers)
    {
        foreach (var name in Refused)
        {
            if (headers.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } and not "false")
            {
                throw BlobErrors.Unsupported($"The header {name}");
            }
        }
    }
}
