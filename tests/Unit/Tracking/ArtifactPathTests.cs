using Zaffre.Tracking.Mlflow;

namespace Zaffre.Tests.Unit.Tracking;

public sealed class ArtifactPathTests
{
    [Theory]
    [InlineData("0/r/artifacts/../x")]
    [InlineData("0/r/artifacts/%2e%2e/x")]
    [InlineData("0/r/artifacts/%252e%252e/x")]
    [InlineData("0/r/artifacts/a%2fb")]
    [InlineData("0/r/artifacts/a%252fb")]
    [InlineData("0/r/artifacts/a\\b")]
    [InlineData("0/r/artifacts/a%5cb")]
    [InlineData("0/r/artifacts//b")]
    [InlineData("0/r/artifacts/./b")]
    [InlineData("0/r/artifacts/a\0b")]
    [InlineData("0/r/artifacts/a%00b")]
    [InlineData("0/r/artifacts/a%0ab")]
    [InlineData("/0/r/artifacts/a")]
    [InlineData("0/r/other/a")]
    [InlineData("0/r")]
    [InlineData("")]
    public void A_path_that_leads_anywhere_else_in_any_reading_is_refused(string path) =>
        Assert.Equal("Invalid path", Assert.Throws<MlflowException>(() => ArtifactPath.Split(path)).Message);

    [Theory]
    [InlineData("0/r/artifacts", "")]
    [InlineData("0/r/artifacts/", "")]
    [InlineData("0/r/artifacts/model/MLmodel", "model/MLmodel")]
    [InlineData("0/r/artifacts/a b/ü..txt", "a b/ü..txt")]
    [InlineData("0/r/artifacts/100%.txt", "100%.txt")]
    [InlineData("0/r/artifacts/...", "...")]
    [InlineData("0/r/artifacts/images/a#b%step%3%timestamp%1732200000000%g.png", "images/a#b%step%3%timestamp%1732200000000%g.png")]
    public void A_plain_path_is_split_into_experiment_run_and_path(string path, string expected) =>
        Assert.Equal(("0", "r", expected), ArtifactPath.Split(path));
}
