using System.IO.Compression;
using Zaffre.Cli;

namespace Zaffre.Tests.Unit.Cli;

/// <summary><c>additional_includes</c> of components, as the official client merges them.</summary>
public sealed class IncludedCodeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("zaffre-code-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Files_and_folders_lie_beside_the_code_under_their_own_names()
    {
        Write("c/src/train.py", "c/src/skip.tmp", "c/src/__pycache__/train.pyc", "lib/a.py", "lib/deep/b.py", "lib/deep/b.tmp", "more/lib/c.py", "one.txt");
        File.WriteAllText(At("c/src/.amlignore"), "*.tmp\n.amlignore\n");
        using var merged = Read("c/src", "lib", "more/lib", "one.txt");
        Assert.Equal(["lib/a.py", "lib/c.py", "lib/deep/b.py", "one.txt", "train.py"], merged.Content.Files.Select(file => file.Name));
    }

    [Fact]
    public void An_included_folder_has_an_ignore_file_of_its_own()
    {
        Write("src/a.py", "lib/a.py", "lib/big.csv", "src/big.csv");
        File.WriteAllText(At("lib/.gitignore"), "*.csv\n");
        using var merged = Read("src", "lib");
        Assert.Equal(["a.py", "big.csv", "lib/.gitignore", "lib/a.py"], merged.Content.Files.Select(file => file.Name));
    }

    [Fact]
    public void A_zip_is_made_of_the_folder_of_its_name_and_is_the_same_each_time()
    {
        Write("src/a.py", "lib/a.py", "lib/deep/b.py");
        using var merged = Read("src", "lib.zip");
        Assert.Equal(["a.py", "lib.zip"], merged.Content.Files.Select(file => file.Name));
        var path = merged.Content.Files[1].Path;
        using (var archive = ZipFile.OpenRead(path))
        {
            Assert.Equal(["lib/", "lib/a.py", "lib/deep/b.py"], archive.Entries.Select(entry => entry.FullName));
        }

        File.SetLastWriteTimeUtc(At("lib/a.py"), new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        using var again = Read("src", "lib.zip");
        Assert.Equal(merged.Content.Hash(), again.Content.Hash());
        again.Dispose();
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void A_zip_that_is_there_is_copied_and_code_may_be_missing_or_one_file()
    {
        Write("src/a.py", "lib.zip", "lib/a.py");
        using var alone = Read(null, "lib.zip");
        Assert.Equal(At("lib.zip"), Assert.Single(alone.Content.Files).Path);
        using var file = Read("src/a.py", "lib");
        Assert.Equal(["a.py", "lib/a.py"], file.Content.Files.Select(one => one.Name));
    }

    [Fact]
    public void Conflicts_and_missing_paths_are_told_together()
    {
        Write("src/lib/a.py", "src/one.txt", "lib/b.py", "other/one.txt");
        var error = Assert.Throws<CliException>(() => Read("src", "lib", "other/one.txt", "none", "none.zip"));
        Assert.Equal(4, error.Message.Split('\n').Length);
        Assert.Contains("the code has a file or folder lib already", error.Message, StringComparison.Ordinal);
        Assert.Contains("include 3: " + At("none.zip") + " does not exist", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_in_the_code_to_what_is_included_is_no_conflict()
    {
        Write("src/a.py", "lib/b.py");
        File.CreateSymbolicLink(At("src/lib"), At("lib"));
        using var merged = Read("src", "lib");
        Assert.Equal(["a.py", "lib/b.py"], merged.Content.Files.Select(file => file.Name));
    }

    [Fact]
    public void Links_are_followed_out_of_the_code_but_never_in_circles_and_one_to_nothing_is_named()
    {
        Write("src/a.py", "src/deep/b.py", "outside/c.py", "lib/d.py");
        File.CreateSymbolicLink(At("src/out"), At("outside"));
        File.CreateSymbolicLink(At("src/file"), At("outside/c.py"));
        File.CreateSymbolicLink(At("src/deep/up"), "..");
        File.CreateSymbolicLink(At("src/deep/self"), ".");
        File.CreateSymbolicLink(At("outside/back"), At("src"));
        File.CreateSymbolicLink(At("lib/top"), folder);
        using (var merged = Read("src", "lib"))
        {
            var names = merged.Content.Files.Select(file => file.Name).ToArray();
            Assert.Superset(new HashSet<string> { "a.py", "deep/b.py", "file", "lib/d.py", "out/c.py", "lib/top/src/a.py" }, names.ToHashSet());
            Assert.InRange(names.Length, 6, 40);
            Assert.Equal(64, merged.Content.Hash().Length);
        }

        File.CreateSymbolicLink(At("src/broken"), At("nowhere"));
        File.CreateSymbolicLink(At("src/loop"), At("src/loop"));
        using var dangling = Read("src");
        var error = Assert.Throws<CliException>(() => dangling.Content.Hash());
        Assert.Contains(At("src/broken") + " cannot be uploaded: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(At("src/loop"), error.Message, StringComparison.Ordinal);
    }

    private IncludedCode Read(string? code, params string[] includes) =>
        IncludedCode.Read(code is null ? null : At(code), "code", [.. includes.Select((path, i) => new Include(At(path), $"include {i}"))], ["__pycache__"]);

    private string At(string path) => Path.Combine(folder, path);

    private void Write(params string[] paths)
    {
        foreach (var path in paths)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
            File.WriteAllText(At(path), path);
        }
    }
}
