using System.Buffers.Text;
using System.Security.Cryptography;

namespace Zaffre.Identity.Tokens;

/// <summary>One RSA key of the authority. The key id is the RFC 7638 thumbprint of its public half.</summary>
internal sealed class SigningKey : IDisposable
{
    private readonly RSA rsa;
    private readonly Lock signing = new();

    private SigningKey(RSA rsa, DateTimeOffset created)
    {
        this.rsa = rsa;
        Created = created;
        var parameters = rsa.ExportParameters(false);
        Modulus = Base64Url.EncodeToString(parameters.Modulus!);
        Exponent = Base64Url.EncodeToString(parameters.Exponent!);
        var thumbprint = $$"""{"e":"{{Exponent}}","kty":"RSA","n":"{{Modulus}}"}""";
        Id = Base64Url.EncodeToString(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(thumbprint)));
    }

    public string Id { get; }

    public string Modulus { get; }

    public string Exponent { get; }

    public DateTimeOffset Created { get; }

    public static SigningKey Create(DateTimeOffset now) => new(RSA.Create(2048), now);

    public static SigningKey Import(ReadOnlySpan<byte> pkcs8, DateTimeOffset created)
    {
        var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(pkcs8, out _);
        return new SigningKey(rsa, created);
    }

    public byte[] Export() => rsa.ExportPkcs8PrivateKey();

    public byte[] ExportPublic() => rsa.ExportSubjectPublicKeyInfo();

    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        lock (signing)
        {
            return rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
    }

    public bool Verifies(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        lock (signing)
        {
            return rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
    }

    public void Dispose() => rsa.Dispose();
}
