using Zaffre.Database;

namespace Zaffre.Tests.Unit.Database;

public sealed class SealTests : IDisposable
{
    private readonly DatabaseFixture fixture = new();

    private string SealPath => Path.Combine(fixture.Root, "events", "seals.jsonl");

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task Untouched_events_hold()
    {
        await SealThreeBatchesAsync();

        Assert.Null(await fixture.Seals.FindBrokenAsync(fixture.Events, default));
    }

    [Theory]
    [InlineData("UPDATE events SET actor = 'somebody else' WHERE sequence = 5")]
    [InlineData("UPDATE events SET digest = 'ab' WHERE sequence = 5")]
    [InlineData("DELETE FROM events WHERE sequence = 5")]
    public async Task A_changed_event_breaks_its_seal(string tampering)
    {
        await SealThreeBatchesAsync();

        await fixture.Database.WriteAsync(scope => scope.Execute(tampering), default);

        Assert.Equal(4, (await fixture.Seals.FindBrokenAsync(fixture.Events, default))?.First);
    }

    [Fact]
    public async Task An_erased_payload_keeps_the_chain_whole()
    {
        await SealThreeBatchesAsync();

        await fixture.Database.WriteAsync(scope => scope.Execute("UPDATE events SET payload = ''"), default);

        Assert.Null(await fixture.Seals.FindBrokenAsync(fixture.Events, default));
    }

    [Fact]
    public async Task A_removed_seal_is_noticed()
    {
        await SealThreeBatchesAsync();

        var lines = File.ReadAllLines(SealPath);
        File.WriteAllLines(SealPath, [lines[0], lines[2]]);

        Assert.NotNull(await fixture.Seals.FindBrokenAsync(fixture.Events, default));
    }

    [Fact]
    public async Task A_seal_cut_off_by_a_crash_is_made_again()
    {
        await SealThreeBatchesAsync();
        File.AppendAllText(SealPath, "{\"first\":10,\"la");

        fixture.Reopen();

        Assert.Equal(9, fixture.Seals.Last?.Last);
        await AppendAndSealAsync(10);
        Assert.Null(await fixture.Seals.FindBrokenAsync(fixture.Events, default));
    }

    [Fact]
    public async Task The_signing_key_is_readable_by_its_owner_only()
    {
        await SealThreeBatchesAsync();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(fixture.Root, "keys", "seal.pem")));
    }

    private async Task SealThreeBatchesAsync()
    {
        for (var batch = 0; batch < 3; batch++)
        {
            await AppendAndSealAsync((3 * batch) + 1, (3 * batch) + 2, (3 * batch) + 3);
        }
    }

    private async Task AppendAndSealAsync(params int[] numbers)
    {
        foreach (var number in numbers)
        {
            await fixture.Database.WriteAsync(scope => scope.Append(new NewEvent("me", "thing/write", $"/thing/{number}", $$"""{"n":{{number}}}""")), default);
        }

        fixture.Seals.Append(await fixture.Events.ReadAsync(fixture.Seals.Last?.Last ?? 0, 100, default), DateTimeOffset.UnixEpoch);
    }
}
