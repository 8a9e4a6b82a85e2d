using System.Text;
using System.Text.RegularExpressions;
using Zaffre.Storage;

namespace Zaffre.Jobs.Execution;

/// <summary>Finds in the end of a job's log the line that shows why it failed.</summary>
internal static partial class LogTail
{
    private const int TailBytes = 64 * 1024;
    private const int LongestLine = 500;

    public static async Task<string?> FindCauseAsync(IBlobStore store, BlobAddress log, CancellationToken ct) =>
        await ReadAsync(store, log, ct) is { } text ? Cause(text) : null;

    /// <summary>The end of a log; null when there is none.</summary>
    public static async Task<string?> ReadAsync(IBlobStore store, BlobAddress log, CancellationToken ct)
    {
        await using var stream = await store.OpenReadAsync(log, ct);
        if (stream is null)
        {
            return null;
        }

        stream.Seek(-Math.Min(TailBytes, stream.Length), SeekOrigin.End);
        var buffer = new byte[TailBytes];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    /// <summary>The last line that names an error, else the last line.</summary>
    internal static string? Cause(string text)
    {
        var lines = text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0).ToArray();
        var cause = lines.LastOrDefault(line => Error().IsMatch(line)) ?? lines.LastOrDefault();
        return cause is { Length: > LongestLine } ? cause[..LongestLine] + "..." : cause;
    }

    [GeneratedRegex(@"^[\w.]*(Error|Exception|Interrupt|Exit)\b|\b(error|fatal|not found|no such file|permission denied|killed|no space left)\b", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Error();
}
