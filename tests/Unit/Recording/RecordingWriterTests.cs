using Zaffre.Kernel;
using Zaffre.Recording;
using Zaffre.Recording.Capture;

namespace Zaffre.Tests.Unit.Recording;

public sealed class RecordingWriterTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("zaffre-writer-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Files_are_rotated_and_the_oldest_goes_when_the_limit_is_met()
    {
        const int Limit = 80_000;
        using (var writer = new RecordingWriter(new RecordingOptions { Folder = folder, Data = new DataDirectory(folder), Limit = Limit }, DateTimeOffset.UnixEpoch))
        {
            for (var number = 1; number <= 300; number++)
            {
                await writer.WriteAsync(Exchange(number));
            }
        }

        Assert.InRange(Directory.GetFiles(folder).Sum(file => new FileInfo(file).Length), Limit / 2, Limit * 5 / 4);
        var session = Assert.Single(RecordingFiles.Read(folder));
        Assert.Equal(300, session.Exchanges[^1].Number);
        Assert.True(session.Exchanges[0].Number > 1, "nothing was removed");
        Assert.Equal(session.Exchanges.Count, session.Exchanges[^1].Number - session.Exchanges[0].Number + 1);
    }

    [Theory]
    [InlineData("nonsense\n", "line 1")]
    [InlineData("{\"format\":\"something\"}\n", "its first line does not say so")]
    [InlineData("{\"format\":\"zaffre-recording\",\"version\":9,\"session\":\"s\"}\n", "version 9")]
    [InlineData("{\"format\":\"zaffre-recording\",\"version\":1,\"session\":\"s\"}\n{\"n\":1}\n", "line 2")]
    public void What_is_no_recording_is_refused_with_its_place(string content, string says)
    {
        File.WriteAllText(Path.Combine(folder, "a.jsonl"), content);

        Assert.Contains(says, Assert.Throws<InvalidDataException>(() => RecordingFiles.Read(folder)).Message, StringComparison.Ordinal);
    }

    private static Exchange Exchange(long number) => new()
    {
        Number = number,
        Request = new RecordedRequest { Method = "GET", Host = "h", Target = "/" },
        Answer = new RecordedAnswer { Status = 200, Body = new RecordedBody { Text = new string('x', 1000) } },
    };
}
