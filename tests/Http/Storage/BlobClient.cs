using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;
using Zaffre.Storage;
using Zaffre.Storage.Access;
using Zaffre.Storage.Protocol;

namespace Zaffre.Tests.Http.Storage;

/// <summary>An answer of the blob protocol.</summary>
internal sealed record BlobReply(HttpStatusCode Status, byte[] Bytes, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders)
{
    public string Text => Encoding.UTF8.GetString(Bytes);

    public XElement Xml => XElement.Parse(Text);

    public string? this[string header] => Headers.TryGetValues(header, out var values) || ContentHeaders.TryGetValues(header, out values) ? string.Join(',', values) : null;

    public BlobReply Is(HttpStatusCode status)
    {
        Assert.True(Status == status, $"{(int)Status} instead of {(int)status}: {Text}");
        return this;
    }

    /// <summary>Asserts status, code in header and body, and that the answer names its request.</summary>
    public BlobReply Fails(int status, string code, bool hasBody = true)
    {
        Assert.Equal((status, code), ((int)Status, this["x-ms-error-code"] ?? Text));
        Assert.NotNull(this["x-ms-request-id"]);
        if (hasBody)
        {
            Assert.Equal("application/xml", this["Content-Type"]);
            Assert.Equal("Error", Xml.Name.LocalName);
            Assert.Equal(code, Xml.Element("Code")!.Value);
            Assert.NotEmpty(Xml.Element("Message")!.Value);
        }
        else
        {
            Assert.Empty(Bytes);
        }

        return this;
    }
}

/// <summary>Sends requests to a blob host, signed with the account's key unless told otherwise.</summary>
internal sealed class BlobClient(ZaffreHost host, string account, string key)
{
    public const string Container = "cont";

    public static async Task<BlobClient> CreateAsync(ZaffreHost host, string account)
    {
        var accounts = host.Get<IStorageAccounts>();
        _ = (await accounts.EnsureAsync(account, new($"{host.Workspace.Id.Value[..host.Workspace.Id.Value.IndexOf("/providers/", StringComparison.Ordinal)]}/providers/Microsoft.Storage/storageAccounts/{account}"), default)).Value;
        _ = (await accounts.EnsureContainerAsync(account, Container, default)).Value;
        return new BlobClient(host, account, (await accounts.GetKeyAsync(account, default))!);
    }

    public string Host => $"{account}.blob.core.windows.net";

    public string Account => account;

    public string Key => key;

    public Task<BlobReply> PutAsync(string name, string content = "", params (string Name, string Value)[] headers) =>
        SendAsync("PUT", $"/{Container}/{name}", content, [("x-ms-blob-type", "BlockBlob"), .. headers]);

    public Task<BlobReply> GetAsync(string name, params (string Name, string Value)[] headers) => SendAsync("GET", $"/{Container}/{name}", null, headers);

    public Task<BlobReply> HeadAsync(string name, params (string Name, string Value)[] headers) => SendAsync("HEAD", $"/{Container}/{name}", null, headers);

    public Task<BlobReply> ListAsync(string query = "") => SendAsync("GET", $"/{Container}?restype=container&comp=list{query}", null);

    /// <summary>Signs with the account's key; target is the raw path and query.</summary>
    public Task<BlobReply> SendAsync(string method, string target, string? content, params (string Name, string Value)[] headers) =>
        SendAsync(method, target, content, sign: true, headers);

    public async Task<BlobReply> SendAsync(string method, string target, string? content, bool sign, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri($"https://{Host}{target}"));
        if (content is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(content));
        }

        request.Headers.TryAddWithoutValidation("x-ms-version", "2021-12-02");
        request.Headers.TryAddWithoutValidation("x-ms-date", DateTime.UtcNow.ToString("r", CultureInfo.InvariantCulture));
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content ??= new ByteArrayContent([]);
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        if (sign)
        {
            request.Headers.TryAddWithoutValidation("Authorization", Sign(request, content));
        }

        using var client = host.Anonymous();
        using var response = await client.SendAsync(request);
        return new(response.StatusCode, await response.Content.ReadAsByteArrayAsync(), response.Headers, response.Content.Headers);
    }

    private string Sign(HttpRequestMessage message, string? content)
    {
        var request = new DefaultHttpContext().Request;
        request.Method = message.Method.Method;
        foreach (var (name, values) in message.Headers.NonValidated.Concat(message.Content?.Headers.NonValidated ?? default))
        {
            request.Headers[name] = values.ToString();
        }

        request.ContentLength = content is null ? null : Encoding.UTF8.GetByteCount(content);
        var target = RequestTarget.Parse(Host, message.RequestUri!.PathAndQuery);
        var signature = SharedKey.Sign(Convert.FromBase64String(key), SharedKey.StringToSign(request, target, StringComparer.Ordinal));
        return $"SharedKey {account}:{Convert.ToBase64String(signature)}";
    }
}
