using Zaffre.Cli;

namespace Zaffre.Tests.Unit.Cli;

/// <summary>Patterns and answers as the ignore files of azure-ai-ml give them.</summary>
public sealed class IgnoreFileTests
{
    [Theory]
    [InlineData("*.pyc", "a/b.pyc", true)]
    [InlineData("*.pyc", "a/b.py", false)]
    [InlineData("data", "x/data/1.csv", true)]
    [InlineData("data/", "data", false)]
    [InlineData("data/", "x/data/1.csv", true)]
    [InlineData("/data", "x/data/1.csv", false)]
    [InlineData("x/data", "x/data/1.csv", true)]
    [InlineData("x/data", "y/x/data/1.csv", false)]
    [InlineData("**/logs", "a/b/logs/c", true)]
    [InlineData("logs/**", "logs/a/b", true)]
    [InlineData("a/**/b", "a/x/y/b", true)]
    [InlineData("a/**/b", "a/b", true)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "a/c", false)]
    [InlineData("v[0-9].txt", "v7.txt", true)]
    [InlineData("v[!0-9].txt", "v7.txt", false)]
    [InlineData("v[!0-9].txt", "vx.txt", true)]
    [InlineData("v[.txt", "v[.txt", true)]
    [InlineData("\\#note", "#note", true)]
    [InlineData("\\!note", "!note", true)]
    [InlineData("# note", "# note", false)]
    [InlineData("note   ", "note", true)]
    [InlineData("note\\ ", "note ", true)]
    [InlineData("/", "note", false)]
    public void A_line_ignores_what_git_ignores(string line, string path, bool ignored) => Assert.Equal(ignored, new IgnoreFile([line]).Ignores(path));

    [Fact]
    public void The_last_line_that_matches_decides_also_below_an_ignored_folder()
    {
        var rules = new IgnoreFile(["*", "", "!keep/this.py", "secret", "!*.md"]);
        Assert.Equal([true, false, true, false], ((string[])["train.py", "keep/this.py", "keep/secret", "secret/a.md"]).Select(rules.Ignores));
    }

    [Fact]
    public void Amlignore_comes_before_gitignore()
    {
        var folder = Directory.CreateTempSubdirectory("zaffre-ignore-").FullName;
        File.WriteAllText(Path.Combine(folder, ".gitignore"), "a\n");
        Assert.True(IgnoreFile.Of(folder).Ignores("a"));
        File.WriteAllText(Path.Combine(folder, ".amlignore"), "b\n");
        Assert.Equal([false, true], ((string[])["a", "b"]).Select(IgnoreFile.Of(folder).Ignores));
        Directory.Delete(folder, recursive: true);
    }
}
