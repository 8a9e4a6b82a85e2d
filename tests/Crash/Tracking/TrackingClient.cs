namespace Zaffre.Tests.Crash.Tracking;

/// <summary>
/// A change that a client asks for. <paramref name="Apply"/> does it to the model; <paramref name="Repeatable"/> says that MLflow's client may send
/// it again after a lost answer and it is done once all the same.
/// </summary>
internal sealed record Change(Func<Task> Send, Action Apply, bool Repeatable);

/// <summary>
/// A client that changes things of its own, one after the other, and knows what must be there then: everything that was acknowledged, once; and when the
/// server was killed, of the change whose answer was lost all or nothing.
/// </summary>
internal abstract class TrackingClient(string name, int seed)
{
    private Change? pending;
    private TrackingWire? wire;

    public string Name => name;

    public int Acknowledged { get; private set; }

    public int Repeated { get; private set; }

    protected Random Random { get; } = new(seed);

    protected TrackingWire Wire => wire!;

    /// <summary>Makes what the client works on.</summary>
    public Task SetUpAsync(TrackingWire server)
    {
        wire = server;
        return SetUpAsync();
    }

    /// <summary>Changes until the server is gone, and tells of each change that was acknowledged.</summary>
    public async Task WorkAsync(TrackingWire server, Action acknowledged)
    {
        wire = server;
        try
        {
            while (true)
            {
                await DoAsync(Next());
                acknowledged();
            }
        }
        catch (HttpRequestException)
        {
            // The server was killed under the request, which is the point.
        }
    }

    /// <summary>One change.</summary>
    public Task WorkAsync(TrackingWire server)
    {
        wire = server;
        return DoAsync(Next());
    }

    /// <summary>Compares everything; after a restart it first sends the lost request again, or finds out what became of it.</summary>
    public async Task CheckAsync(TrackingWire server)
    {
        wire = server;
        if (pending is { } lost)
        {
            pending = null;
            if (lost.Repeatable && Random.Next(3) > 0)
            {
                await DoAsync(lost);
                Repeated++;
            }
            else if (!(await ReadAsync()).Order(StringComparer.Ordinal).SequenceEqual(Expected().Order(StringComparer.Ordinal)))
            {
                lost.Apply();
            }
        }

        var (expected, found) = (Expected(), await ReadAsync());
        var missing = expected.Except(found, StringComparer.Ordinal).FirstOrDefault();
        var excess = found.Except(expected, StringComparer.Ordinal).FirstOrDefault();
        Assert.True(missing is null && excess is null && expected.Count == found.Count, $"{name}: expected '{missing}', found '{excess}'; {expected.Count} facts were acknowledged, {found.Count} are there");
        await VerifyAsync();
    }

    protected abstract Task SetUpAsync();

    protected abstract Change Next();

    /// <summary>What the model knows, a line for each fact.</summary>
    protected abstract IReadOnlyCollection<string> Expected();

    /// <summary>The same of the server.</summary>
    protected abstract Task<IReadOnlyCollection<string>> ReadAsync();

    /// <summary>What else must agree with it: searches, charts.</summary>
    protected virtual Task VerifyAsync() => Task.CompletedTask;

    protected T Pick<T>(IReadOnlyList<T> some) => some[Random.Next(some.Count)];

    private async Task DoAsync(Change change)
    {
        pending = change;
        await change.Send();
        change.Apply();
        pending = null;
        Acknowledged++;
    }
}
