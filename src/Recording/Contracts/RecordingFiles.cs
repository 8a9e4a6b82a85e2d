using System.Text.Json;

namespace Zaffre.Recording;

/// <summary>The exchanges of one session, in order of arrival.</summary>
public sealed record RecordedSession(string Name, IReadOnlyList<Exchange> Exchanges);

/// <summary>Reads recordings.</summary>
public static class RecordingFiles
{
    /// <summary>
    /// The sessions of a file, or of every <c>.jsonl</c> file of a folder, the oldest first. Throws <see cref="InvalidDataException"/>, with the file and line, for what is no recording, and
    /// <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> for what cannot be read.
    /// </summary>
    public static IReadOnlyList<RecordedSession> Read(string path)
    {
        var files = Directory.Exists(path) ? Directory.GetFiles(path, "*.jsonl").Order(StringComparer.Ordinal).ToArray() : [path];
        var sessions = new SortedDictionary<string, List<Exchange>>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            ReadFile(file, sessions);
        }

        return sessions.Count == 0
            ? throw new InvalidDataException($"{path} holds no recording (files that end in .jsonl).")
            : [.. sessions.Select(session => new RecordedSession(session.Key, [.. session.Value.OrderBy(exchange => exchange.Number)]))];
    }

    private static void ReadFile(string file, SortedDictionary<string, List<Exchange>> sessions)
    {
        List<Exchange>? exchanges = null;
        var number = 0;
        foreach (var line in File.ReadLines(file))
        {
            number++;
            try
            {
                if (exchanges is null)
                {
                    var head = JsonSerializer.Deserialize(line, RecordingJson.Default.RecordingHead);
                    if (head is not { Format: RecordingHead.Name, Session: { } session })
                    {
                        break;
                    }

                    if (head.Version != 1)
                    {
                        throw new InvalidDataException($"{file} is a recording of version {head.Version}; this program reads version 1.");
                    }

                    exchanges = sessions.TryGetValue(session, out var known) ? known : sessions[session] = [];
                    continue;
                }

                exchanges.Add(JsonSerializer.Deserialize(line, RecordingJson.Default.Exchange)!);
            }
            catch (JsonException exception)
            {
                throw new InvalidDataException($"{file}, line {number}: {exception.Message}", exception);
            }
        }

        if (exchanges is null)
        {
            throw new InvalidDataException($"{file} is no recording: its first line does not say so.");
        }
    }
}
