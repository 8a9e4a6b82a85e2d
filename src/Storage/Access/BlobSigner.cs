using Microsoft.AspNetCore.Http;
using Zaffre.Web;

namespace Zaffre.Storage.Access;

/// <inheritdoc cref="IBlobSigner"/>
internal sealed class BlobSigner(StorageAccounts accounts, IPublicUrls urls, TimeProvider time) : IBlobSigner
{
    // In the order that Azure asks for in sp.
    private static readonly (BlobRights Right, char Letter)[] Letters =
    [
        (BlobRights.Read, 'r'), (BlobRights.Add, 'a'), (BlobRights.Create, 'c'), (BlobRights.Write, 'w'), (BlobRights.Delete, 'd'), (BlobRights.List, 'l'),
    ];

    public async Task<Uri> SignAsync(HttpContext context, BlobAddress blob, BlobRights rights, TimeSpan lifetime, CancellationToken ct)
    {
        var account = await accounts.OpenAsync(blob.Account, ct) ?? throw new ArgumentException($"There is no storage account '{blob.Account}'.", nameof(blob));
        var now = time.GetUtcNow();
        var permissions = string.Concat(Letters.Where(l => rights.HasFlag(l.Right)).Select(l => l.Letter));
        return new($"{Text(context, blob)}?{Sas.SignService(account.Keys[0], blob, permissions, now.AddMinutes(-5), now + lifetime)}");
    }

    public Uri Plain(HttpContext context, BlobAddress blob) => new(Text(context, blob));

    private string Text(HttpContext context, BlobAddress blob)
    {
        var path = string.Join('/', blob.Name.Split('/').Select(Uri.EscapeDataString));
        return blob.Name.Length == 0
            ? $"{urls.Blob(context, blob.Account)}/{blob.Container}"
            : $"{urls.Blob(context, blob.Account)}/{blob.Container}/{path}";
    }
}
