using System.Globalization;
using System.Text.Json;

namespace Zaffre.Recording.Capture;

/// <summary>The files of one session: private, rotated, together never much larger than the limit.</summary>
internal sealed class RecordingWriter : IDisposable
{
    private const int Files = 8;

    private readonly Queue<string> written = new();
    private readonly RecordingOptions options;
    private readonly string session;
    private FileStream file;
    private int number;

    public RecordingWriter(RecordingOptions options, DateTimeOffset now)
    {
        this.options = options;
        session = now.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture);
        Directory.CreateDirectory(options.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        file = Open();
    }

    public string Current => file.Name;

    public async Task WriteAsync(Exchange exchange)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(exchange, RecordingJson.Lines.Exchange);
        if (file.Length + line.Length > options.Limit / Files && written.Count > 0)
        {
            await file.DisposeAsync();
            file = Open();
            while (written.Count > Files)
            {
                File.Delete(written.Dequeue());
            }
        }

        await file.WriteAsync(line);
        file.WriteByte((byte)'\n');
        await file.FlushAsync();
    }

    public void Dispose() => file.Dispose();

    private FileStream Open()
    {
        var path = Path.Combine(options.Folder, string.Create(CultureInfo.InvariantCulture, $"zaffre-{session}-{++number:0000}.jsonl"));
        var opened = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.Read,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        written.Enqueue(path);
        JsonSerializer.Serialize(opened, new RecordingHead { Format = RecordingHead.Name, Version = 1, Session = session, Program = typeof(RecordingWriter).Assembly.GetName().Version?.ToString(3) }, RecordingJson.Lines.RecordingHead);
        opened.WriteByte((byte)'\n');
        opened.Flush();
        return opened;
    }
}
