using Zaffre.Assets.Yaml;

namespace Zaffre.Tests.Unit.Assets;

public sealed class YamlPathsTests
{
    [Theory]
    [InlineData("job.yml", "env.yml", "env.yml")]
    [InlineData("job.yml", "./conda/env.yml", "conda/env.yml")]
    [InlineData("conda/env.yml", "conda.yml", "conda/conda.yml")]
    [InlineData("conda/env.yml", "../c.yml", "c.yml")]
    [InlineData("job.yml", "../src", "../src")]
    [InlineData("a/job.yml", "../../src", "../src")]
    [InlineData("job.yml", "file:env.yml", "env.yml")]
    [InlineData("job.yml", "/abs/x", "/abs/x")]
    [InlineData("a/job.yml", "C:\\data\\x", "C:/data/x")]
    [InlineData("job.yml", ".", ".")]
    public void Paths_are_relative_to_the_main_file(string file, string path, string expected) => Assert.Equal(expected, YamlPaths.Resolve(file, path));

    [Theory]
    [InlineData("./src", true)]
    [InlineData("src", true)]
    [InlineData("C:\\src", true)]
    [InlineData("file:env.yml", true)]
    [InlineData("azureml:env:1", false)]
    [InlineData("https://x/y", false)]
    [InlineData("git+https://x/y", false)]
    [InlineData("runs:/a/b", false)]
    [InlineData("azureml://datastores/a/paths/b", false)]
    public void Local_paths_have_no_scheme(string path, bool local) => Assert.Equal(local, YamlPaths.IsLocal(path));
}
