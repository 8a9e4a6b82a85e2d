using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;

namespace Zaffre.Tests.Upgrade;

/// <summary>Data directories that earlier versions left (<c>make-fixture.sh</c>), each opened by this one.</summary>
public sealed class StoredDataTests
{
    public static TheoryData<string> Fixtures =>
        [.. Directory.EnumerateFiles(Path.Combine(Zaffre.Root, "tests/Upgrade/fixtures"), "*.tar.gz").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public async Task Everything_that_quickstart_made_is_there_and_works(string fixture)
    {
        var root = Directory.CreateTempSubdirectory("zaffre-upgrade-").FullName;
        try
        {
            await ExtractAsync(fixture, root);
            var zaffre = new Zaffre(root);
            await zaffre.RunAsync("up", "--detach", "--port", "0");
            try
            {
                await CheckJobAsync(zaffre, root);
                await CheckModelAsync(zaffre);
                await CheckEndpointAsync(zaffre);
                await CheckRerunAsync(zaffre);
            }
            finally
            {
                await zaffre.RunAsync("down");
            }
        }
        finally
        {
            await DeleteAsync(root);
        }
    }

    // The scoring workers end after the server, and write until then.
    private static async Task DeleteAsync(string root)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Delete(root, recursive: true);
                return;
            }
            catch (IOException) when (attempt < 40)
            {
                await Task.Delay(250);
            }
        }
    }

    private static async Task ExtractAsync(string fixture, string target)
    {
        await using var file = File.OpenRead(Path.Combine(Zaffre.Root, "tests/Upgrade/fixtures", fixture));
        await using var unpacked = new GZipStream(file, CompressionMode.Decompress);
        await TarFile.ExtractToDirectoryAsync(unpacked, target, overwriteFiles: false);
    }

    private static async Task CheckJobAsync(Zaffre zaffre, string root)
    {
        var job = (JsonObject)Assert.Single((JsonArray)JsonNode.Parse(await zaffre.RunAsync("job", "list"))!)!;
        Assert.Equal("Completed", (string?)job["status"]);

        var target = Path.Combine(root, "downloaded");
        await zaffre.RunAsync("job", "download", "--name", (string)job["name"]!, "--all", "--download-path", target);
        Assert.Contains(Directory.EnumerateFiles(target, "*", SearchOption.AllDirectories), path => new FileInfo(path).Length > 0 && path.Contains("model", StringComparison.Ordinal));
    }

    /// <summary>Earlier versions kept neither a lock nor a seed: such a job runs again as it would now, and from then on there are both.</summary>
    private static async Task CheckRerunAsync(Zaffre zaffre)
    {
        var name = (string)JsonNode.Parse(await zaffre.RunAsync("job", "list"))![0]!["name"]!;
        Assert.Null(JsonNode.Parse(await zaffre.RunAsync("job", "lock", name))!["environment"]);
        await zaffre.RunAsync("job", "rerun", name, "--name", "again", "--stream");
        var held = JsonNode.Parse(await zaffre.RunAsync("job", "lock", "again"))!;
        Assert.NotNull(held["environment"]!["python"]);
        Assert.NotNull(held["seed"]);
    }

    private static async Task CheckModelAsync(Zaffre zaffre)
    {
        var model = JsonNode.Parse(await zaffre.RunAsync("model", "show", "--name", "iris"))!;
        Assert.Equal("iris", (string?)model["name"]);
    }

    private static async Task CheckEndpointAsync(Zaffre zaffre)
    {
        // The workers come back on their own; until then the endpoint says that it is not ready.
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var (code, output, error) = await zaffre.TryAsync("online-endpoint", "invoke", "--name", "iris-endpoint", "--request-file", Path.Combine(Zaffre.Root, "examples/iris/request.json"));
            if (code == 0)
            {
                Assert.Contains("setosa", output, StringComparison.Ordinal);
                return;
            }

            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(1), $"no prediction: {output} {error}");
            await Task.Delay(500);
        }
    }
}
