using Zaffre.Assets.Yaml;

namespace Zaffre.Tests.Unit.Assets;

/// <summary>Values as Python's YAML reader and <c>str()</c> have them; the expectations were printed by azure-ai-ml 1.34's loader.</summary>
public sealed class YamlLiteralTests
{
    [Theory]
    [InlineData("true", "True")]
    [InlineData("yes", "True")]
    [InlineData("Off", "False")]
    [InlineData("y", "y")]
    [InlineData("1.0", "1.0")]
    [InlineData("1.50", "1.5")]
    [InlineData(".5", "0.5")]
    [InlineData("1.", "1.0")]
    [InlineData("-0.10", "-0.1")]
    [InlineData("1e-3", "1e-3")]
    [InlineData("1e3", "1e3")]
    [InlineData("1.0e+3", "1000.0")]
    [InlineData("1.5e-7", "1.5e-07")]
    [InlineData("0.0001", "0.0001")]
    [InlineData("0.00001", "1e-05")]
    [InlineData("1000000000000000.0", "1000000000000000.0")]
    [InlineData("1.0e+16", "1e+16")]
    [InlineData("0x10", "16")]
    [InlineData("010", "8")]
    [InlineData("0o17", "0o17")]
    [InlineData("089", "089")]
    [InlineData("0b101", "5")]
    [InlineData("1_000", "1000")]
    [InlineData("1:30", "90")]
    [InlineData("+7", "7")]
    [InlineData("12345678901234567890", "12345678901234567890")]
    [InlineData("-.inf", "-inf")]
    [InlineData(".nan", "nan")]
    [InlineData("2022-01-01", "2022-01-01")]
    [InlineData("1.2.3", "1.2.3")]
    [InlineData("text", "text")]
    public void A_plain_scalar_is_written_as_the_clients_write_it(string scalar, string expected)
    {
        Assert.Equal(expected, YamlLiteral.Of(new YamlText(scalar, true, 1, 1)));
        Assert.Equal(scalar, YamlLiteral.Of(new YamlText(scalar, false, 1, 1)));
    }
}
