using System.Text;
using Zaffre.Endpoints.Data;
using Zaffre.Kernel;

namespace Zaffre.Endpoints.Runtime;

/// <summary>The log files of deployments: <c>deployments/{row}/instance-{slot}.log</c> and <c>preparation.log</c>. They stay until the deployment is deleted.</summary>
internal sealed class DeploymentLogs(DataDirectory data, TimeProvider time)
{
    private const int MostBytes = 4 << 20;

    public string FolderOf(string rowKey) => data.Path("deployments", rowKey);

    public string InstanceLog(string rowKey, long slot) => Path.Combine(FolderOf(rowKey), $"instance-{slot}.log");

    /// <summary>Adds lines to the preparation log.</summary>
    public void Prepare(string rowKey, params IEnumerable<string> lines)
    {
        Directory.CreateDirectory(FolderOf(rowKey));
        var stamp = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ");
        File.AppendAllLines(Path.Combine(FolderOf(rowKey), "preparation.log"), lines.Select(line => $"{stamp} {line}"));
    }

    public async Task<string> TailAsync(DeploymentRow row, bool preparation, int lines, CancellationToken ct)
    {
        var folder = FolderOf(row.RowKey);
        if (!Directory.Exists(folder))
        {
            return "";
        }

        var files = Directory.GetFiles(folder, preparation ? "preparation.log" : "instance-*.log").Order(StringComparer.Ordinal).ToList();
        if (files.Count == 0 && !preparation)
        {
            // Nothing was started: what the preparation said is the reason.
            files = [.. Directory.GetFiles(folder, "preparation.log")];
        }

        var text = new StringBuilder();
        foreach (var file in files)
        {
            if (files.Count > 1)
            {
                text.Append("==> ").Append(Path.GetFileNameWithoutExtension(file)).Append(" <==\n");
            }

            text.Append(await TailAsync(file, lines, ct));
        }

        return text.ToString();
    }

    /// <summary>The last lines of a file, with their newlines; reads from the end, at most a few megabytes.</summary>
    internal static async Task<string> TailAsync(string file, int lines, CancellationToken ct)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var count = (int)Math.Min(stream.Length, MostBytes);
        stream.Seek(-count, SeekOrigin.End);
        var bytes = new byte[count];
        var read = await stream.ReadAtLeastAsync(bytes, count, throwOnEndOfStream: false, ct);
        var (start, seen) = (read, 0);
        while (start > 0 && !(bytes[start - 1] == '\n' && start < read && ++seen == lines))
        {
            start--;
        }

        return Encoding.UTF8.GetString(bytes, start, read - start);
    }
}
