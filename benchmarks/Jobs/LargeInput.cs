using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Jobs;

/// <summary>What a sparse input of 5 GB, mounted read-only, adds to a start; jobs with and without it take turns.</summary>
internal static class LargeInput
{
    private const int Runs = 5;

    private const int JobsPerRun = 40;

    private const long Size = 5L << 30;

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(string program, string data)
    {
        await using var server = await ZaffreServer.StartAsync(program, data);
        using var client = await JobClient.ConnectAsync(server);
        await client.RunTrueAsync("makes-the-folders");
        var folder = Directory.EnumerateDirectories(Path.Combine(data, "blobs"), "azureml-blobstore*", SearchOption.AllDirectories).First();
        await using (var file = File.Create(Path.Combine(folder, "large.bin")))
        {
            file.SetLength(Size);
        }

        const string input = ""","inputs":{"large":{"jobInputType":"uri_file","mode":"ReadOnlyMount","uri":"azureml://datastores/workspaceblobstore/paths/large.bin"}}""";
        List<double> added = [];
        for (var run = -1; run < Runs; run++)
        {
            List<double> plain = [], with = [];
            for (var job = 0; job < JobsPerRun; job++)
            {
                plain.Add((await client.RunTrueAsync($"plain-{run}-{job}")).Running);
                with.Add((await client.RunTrueAsync($"with-{run}-{job}", input)).Running);
            }

            // The first one warms up.
            if (run >= 0)
            {
                added.Add(Figure.Percentile(with, 0.5) - Figure.Percentile(plain, 0.5));
            }
        }

        return [Figure.Of("job.input-5-gb.adds", "ms", added)];
    }
}
