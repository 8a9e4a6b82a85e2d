using System.Text;
using Xunit;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Kernel;

public sealed class JsonTextTests
{
    [Theory]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"a":["x","\udc00\ud800"]}""")]
    [InlineData("""{"\ud800":1}""")]
    public void Half_of_a_surrogate_pair_is_a_fault(string json) =>
        Assert.Contains("surrogate", JsonText.Fault(Encoding.UTF8.GetBytes(json), 16), StringComparison.Ordinal);

    [Fact]
    public void Bytes_that_are_no_UTF_8_are_a_fault() => Assert.Contains("UTF-8", JsonText.Fault([(byte)'"', 0xff, (byte)'"'], 16), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"a":"\ud83d\ude00 \u00e4 \\u"}""")]
    [InlineData("""{"ä":"ü"}""")]
    public void Other_text_is_none(string json) => Assert.Null(JsonText.Fault(Encoding.UTF8.GetBytes(json), 16));
}
