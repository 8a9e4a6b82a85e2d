using System.Net;
using Microsoft.AspNetCore.Http;
using Zaffre.Storage;
using Zaffre.Storage.Access;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Protocol;

namespace Zaffre.Tests.Unit.Storage;

/// <summary>Signatures made by azure-storage-blob 12.15 for the key of bytes 0 to 63.</summary>
public sealed class SignatureTests
{
    private const string Host = "acct1.blob.core.windows.net";
    private const string BlobSas = "st=2026-11-21T00%3A00%3A00Z&se=2026-11-22T00%3A00%3A00Z&sp=r&spr=https&sv=2021-12-02&sr=b&sig=gwuNeKmLMgG82lpm3Xy12oO9E7tQu/bDEzrvWB0lv9c%3D";
    private const string ContainerSas = "se=2026-11-22T00%3A00%3A00Z&sp=rwl&sip=10.0.0.1-10.0.0.9&sv=2021-12-02&sr=c&rsct=text/x&sig=G2vIbAPxvzTxkrUd2BYQOY3YKBScHIeftp60xn%2Bhibo%3D";
    private const string AccountSas = "se=2026-11-22T00%3A00%3A00Z&sp=rl&sv=2021-12-02&ss=b&srt=co&sig=0aTmR4f9PusfgGNE6yz/r2JxGRDA2101LOykf6olh/c%3D";
    private static readonly byte[] Key = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 4, 5, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("UDJFwWYsYXozlmPWjN4RJwh+9ylgudmbnGtzl2Y2ZxE=", null)]
    [InlineData("UDJFwWYsYXozlmPWjN4RJwh+9ylgudmbnGtzl2Y2ZwE=", "AuthenticationFailed")]
    [InlineData("Sa6/GbnkB7AUxyR/R4vcD0Iq2UaZZn0NLVr92G/NxJg=", "AuthenticationFailed")]
    [InlineData("short", "AuthenticationFailed")]
    public void SharedKey_covers_method_headers_path_and_query(string signature, string? code) => Assert.Equal(code, VerifyKey(Put(), $"SharedKey acct1:{signature}", Now));

    [Fact]
    public void SharedKey_refuses_another_account_an_old_date_and_a_changed_header()
    {
        const string signature = "UDJFwWYsYXozlmPWjN4RJwh+9ylgudmbnGtzl2Y2ZxE=";
        Assert.Equal("AuthenticationFailed", VerifyKey(Put(), $"SharedKey acct2:{signature}", Now));
        Assert.Equal("AuthenticationFailed", VerifyKey(Put(), $"SharedKey acct1:{signature}", Now.AddMinutes(11)));
        var changed = Put();
        changed.Headers["x-ms-meta-uploadstatus"] = "d";
        Assert.Equal("AuthenticationFailed", VerifyKey(changed, $"SharedKey acct1:{signature}", Now));
        var added = Put();
        added.Headers["x-ms-extra"] = "";
        Assert.Equal("AuthenticationFailed", VerifyKey(added, $"SharedKey acct1:{signature}", Now));
    }

    [Theory]
    [InlineData("/cont/dir/na%20me.txt?" + BlobSas, "10.0.0.5", null)]
    [InlineData("/cont/dir/other.txt?" + BlobSas, "10.0.0.5", "AuthenticationFailed")]
    [InlineData("/cont/anything?" + ContainerSas, "10.0.0.5", null)]
    [InlineData("/cont/anything?" + ContainerSas, "::ffff:10.0.0.9", null)]
    [InlineData("/cont/anything?" + ContainerSas, "10.0.0.10", "AuthorizationSourceIPMismatch")]
    [InlineData("/other/anything?" + ContainerSas, "10.0.0.5", "AuthenticationFailed")]
    [InlineData("/any/thing?" + AccountSas, "10.0.0.5", null)]
    [InlineData("/any/thing?" + AccountSas + "&si=policy", "10.0.0.5", "AuthenticationFailed")]
    [InlineData("/any/thing?" + AccountSas + "&skoid=x", "10.0.0.5", "AuthenticationFailed")]
    public void Signatures_of_the_official_client_verify(string target, string caller, string? code) => Assert.Equal(code, VerifySas(target, caller, true, Now));

    [Fact]
    public void A_signature_ends_in_time_and_with_its_protocol()
    {
        Assert.Equal("AuthenticationFailed", VerifySas("/cont/dir/na%20me.txt?" + BlobSas, "10.0.0.5", true, Now.AddDays(1)));
        Assert.Equal("AuthenticationFailed", VerifySas("/cont/dir/na%20me.txt?" + BlobSas, "10.0.0.5", true, Now.AddDays(-1)));
        Assert.Equal("AuthorizationProtocolMismatch", VerifySas("/cont/dir/na%20me.txt?" + BlobSas, "10.0.0.5", false, Now));
        Assert.Equal("AuthenticationFailed", VerifySas("/cont/dir/na%20me.txt?" + BlobSas.Replace("sp=r", "sp=rw", StringComparison.Ordinal), "10.0.0.5", true, Now));
    }

    [Fact]
    public void What_the_server_signs_it_accepts()
    {
        var query = Sas.SignService(Key, new BlobAddress("acct1", "cont", "a b/ü"), "rw", Now, Now.AddHours(1));
        Assert.Null(VerifySas("/cont/a%20b/%C3%BC?" + query, "1.2.3.4", true, Now));
        Assert.Equal("AuthenticationFailed", VerifySas("/cont/a%20b/%C3%BC?" + query, "1.2.3.4", true, Now.AddHours(2)));
    }

    [Theory]
    [InlineData("/cont/a%2Fb%20c?comp=list&prefix=x%2By", "cont", "a/b c", "x+y")]
    [InlineData("/cont/a%252Fb?prefix=", "cont", "a%2Fb", "")]
    [InlineData("/cont?prefix=+", "cont", "", "+")]
    public void Targets_are_decoded_once(string raw, string container, string blob, string prefix)
    {
        var target = RequestTarget.Parse(Host + ":8443", raw);
        Assert.Equal(("acct1", container, blob, prefix), (target.Account, target.Container, target.Blob, target["PREFIX"]));
    }

    [Theory]
    [InlineData("/cont/%zz")]
    [InlineData("/cont/%e4")]
    [InlineData("/cont/%2")]
    [InlineData("/cont/a?comp=a&comp=b")]
    public void Malformed_targets_are_refused(string raw) => Assert.Equal(400, Assert.Throws<BlobException>(() => RequestTarget.Parse(Host, raw)).Error.Status);

    [Theory]
    [InlineData("acct1.blob.core.windows.net", "acct1")]
    [InlineData("ACCT1.blob.core.localhost:8443", "acct1")]
    [InlineData("localhost:8443", null)]
    [InlineData("blob.core.windows.net", null)]
    public void The_account_is_in_the_host(string host, string? account) => Assert.Equal(account, RequestTarget.TryAccount(host, out var found) ? found : null);

    private static HttpRequest Put()
    {
        var request = new DefaultHttpContext().Request;
        request.Method = "PUT";
        request.Headers["x-ms-version"] = "2021-12-02";
        request.Headers["x-ms-date"] = "Sat, 21 Nov 2026 04:00:00 GMT";
        request.Headers.ContentLength = 11;
        request.Headers.ContentType = "application/octet-stream";
        request.Headers["x-ms-meta-upload_status"] = "a b";
        request.Headers["X-MS-Meta-uploadstatus"] = "c";
        request.Headers.IfNoneMatch = "*";
        request.Headers.ContentMD5 = "XrY7u+Ae7tCTyyK7j1rNww==";
        return request;
    }

    private static string? VerifyKey(HttpRequest request, string authorization, DateTimeOffset now)
    {
        var target = RequestTarget.Parse(Host, "/cont/dir/na%20me%2B.txt?comp=block&blockid=QUJD%3D&timeout=30");
        return CodeOf(() => SharedKey.Verify(request, target, authorization, [Key], now));
    }

    private static string? VerifySas(string target, string caller, bool secure, DateTimeOffset now) =>
        CodeOf(() => Sas.Verify(RequestTarget.Parse(Host, target), [Key], IPAddress.Parse(caller), secure, now));

    private static string? CodeOf(Action work)
    {
        try
        {
            work();
            return null;
        }
        catch (BlobException refused)
        {
            return refused.Error.Code;
        }
    }
}
