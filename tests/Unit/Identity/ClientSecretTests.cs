using Zaffre.Identity.Principals;

namespace Zaffre.Tests.Unit.Identity;

public sealed class ClientSecretTests
{
    // One of 64 random secrets would.
    [Fact]
    public void A_secret_never_looks_like_an_option() =>
        Assert.DoesNotContain(Enumerable.Range(0, 2000).Select(_ => ClientSecret.Create()), secret => secret.StartsWith('-') || secret.Length < 43);
}
