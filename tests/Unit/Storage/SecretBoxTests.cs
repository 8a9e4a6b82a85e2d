using System.Security.Cryptography;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Storage;

public sealed class SecretBoxTests : IDisposable
{
    private readonly DataDirectory data = new(Directory.CreateTempSubdirectory("zaffre-secrets-").FullName);

    public void Dispose() => Directory.Delete(data.Root, recursive: true);

    [Fact]
    public void A_sealed_secret_opens_with_the_same_key_file_only_at_its_place_and_only_unaltered()
    {
        var text = new SecretBox(data).Seal("s3cret", "here");
        Assert.DoesNotContain("s3cret", text, StringComparison.Ordinal);
        Assert.Equal("s3cret", new SecretBox(data).Open(text, "here"));
        Assert.ThrowsAny<CryptographicException>(() => new SecretBox(data).Open(text, "there"));
        Assert.ThrowsAny<CryptographicException>(() => new SecretBox(data).Open(text[..^4] + "AAA=", "here"));
        Assert.ThrowsAny<CryptographicException>(() => new SecretBox(data).Open("s3cret", "here"));
        File.Delete(data.Path("keys", "secrets.key"));
        Assert.ThrowsAny<CryptographicException>(() => new SecretBox(data).Open(text, "here"));
    }

    [Fact]
    public void The_key_file_is_for_the_server_alone()
    {
        _ = new SecretBox(data).Seal("x", "y");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(data.Path("keys", "secrets.key")));
    }
}
