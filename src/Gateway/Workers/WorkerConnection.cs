using System.Net.Sockets;

namespace Zaffre.Gateway.Workers;

/// <summary>How an exchange with a scoring process ended.</summary>
internal enum ExchangeEnd
{
    /// <summary>The response header is there; its body waits in the connection.</summary>
    Answered,

    /// <summary>The process cannot have begun <c>run</c>: the frame was not sent whole, or died unread in its receive queue.</summary>
    NotBegun,

    /// <summary>The process took the frame and closed without an answer.</summary>
    Died,

    /// <summary>The time was over; the connection is gone and the process may be stuck.</summary>
    TimedOut,
}

/// <summary>
/// One connection to a scoring process: one request at a time. A receive is always pending, so that the death of an idle
/// peer is noticed at once and an answer needs no second system call.
/// </summary>
internal sealed class WorkerConnection : IDisposable
{
    private const int Idle = 1;
    private const int Busy = 2;
    private const int Closed = 3;
    private const int SmallFrame = 16 * 1024;
    private readonly Socket socket;
    private readonly byte[] received = new byte[8 * 1024];
    private readonly byte[] sending = new byte[SmallFrame];
    private readonly ResettableSignal<(ExchangeEnd End, WorkerFrame Frame)> response = new();
    private readonly ResettableSignal<bool> consumed = new();
    private readonly CancellationTokenSource timer = new();
    private int start;
    private int end;
    private int state = Idle;
    private bool timedOut;

    private volatile bool closing;

    private WorkerConnection(Socket socket, string folder) => (this.socket, Folder) = (socket, folder);

    /// <summary>The folder of the instance.</summary>
    public string Folder { get; }

    /// <summary>No request can use it any more.</summary>
    public bool HasEnded => Volatile.Read(ref state) == Closed;

    /// <summary>Process id of the peer in its own view, as its hello said; names it when it must be recycled.</summary>
    public int ProcessId { get; private set; }

    /// <summary>Whether requests must carry their headers.</summary>
    public bool WantsHeaders { get; private set; }

    /// <summary>The exchange went over its time.</summary>
    public bool HasTimedOut => Volatile.Read(ref timedOut);

    /// <summary>What the runtime says of itself.</summary>
    public WorkerDescription Description { get; private set; } = WorkerDescription.None;

    /// <summary>Connects and waits for the hello (thus for <c>init()</c>); null when nobody listens or the peer is broken.</summary>
    public static async Task<WorkerConnection?> OpenAsync(string folder, CancellationToken ct)
    {
        var path = Path.Combine(folder, "s.sock");
        var connection = new WorkerConnection(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), folder);
        try
        {
            // The folder belongs to the worker: a link planted in it must not lead to a socket of somebody else.
            if (new FileInfo(path).LinkTarget is null)
            {
                await connection.socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
                if (await connection.FillAsync(WorkerFrame.Size, ct) && connection.Take() is { Kind: FrameKind.Hello, HeadLength: 0, BodyLength: <= WorkerDescription.MaxBytes } hello)
                {
                    connection.Description = WorkerDescription.Parse(await connection.TakeBodyAsync(hello.BodyLength, ct));
                    connection.ProcessId = hello.Number;
                    connection.WantsHeaders = hello.Flags.HasFlag(FrameFlags.WantsHeaders);
                    return connection;
                }
            }
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            // Not there, or not any more: the caller tries again later.
        }

        connection.Dispose();
        return null;
    }

    /// <summary>Receives until the connection ends. Call once, right after opening.</summary>
    public async Task RunAsync()
    {
        var died = ExchangeEnd.Died;
        var delivered = false;
        try
        {
            while (await FillAsync(WorkerFrame.Size, CancellationToken.None)
                && Volatile.Read(ref state) == Busy && Take() is { Kind: FrameKind.Response } frame)
            {
                delivered = true;
                consumed.Reset();
                response.Set((ExchangeEnd.Answered, frame));
                if (!await consumed.WaitAsync())
                {
                    break;
                }

                delivered = false;
            }
        }
        catch (SocketException e)
        {
            died = e.SocketErrorCode == SocketError.ConnectionReset ? ExchangeEnd.NotBegun : ExchangeEnd.Died;
        }
        catch (ObjectDisposedException)
        {
            // Abandoned by its own user.
        }

        var before = Interlocked.Exchange(ref state, Closed);
        Dispose();
        if (before == Busy && !delivered)
        {
            response.Set((Volatile.Read(ref timedOut) ? ExchangeEnd.TimedOut : died, default));
        }
    }

    /// <summary>Takes the connection for one exchange; false when it has ended or is taken.</summary>
    public bool TryAcquire() => Interlocked.CompareExchange(ref state, Busy, Idle) == Idle;

    /// <summary>Gives back what <see cref="TryAcquire"/> took, unused.</summary>
    public void Release() => Interlocked.CompareExchange(ref state, Idle, Busy);

    /// <summary>Ends the connection now, or after the exchange that is running.</summary>
    public void CloseWhenIdle()
    {
        closing = true;
        if (Interlocked.CompareExchange(ref state, Closed, Idle) == Idle)
        {
            Dispose();
        }
    }

    /// <summary>Sends one request and waits for the head of its answer. Only after <see cref="TryAcquire"/>.</summary>
    public async ValueTask<(ExchangeEnd End, WorkerFrame Frame)> ExchangeAsync(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> body, int timeoutMs)
    {
        var pending = response.WaitAsync();
        new WorkerFrame(FrameKind.Request, FrameFlags.None, 0, head.Length, body.Length, timeoutMs).Write(sending);
        timer.Token.UnsafeRegister(static connection => ((WorkerConnection)connection!).OnTimeout(), this);
        timer.CancelAfter(timeoutMs);
        try
        {
            if (WorkerFrame.Size + head.Length + body.Length <= SmallFrame)
            {
                head.CopyTo(sending.AsMemory(WorkerFrame.Size));
                body.CopyTo(sending.AsMemory(WorkerFrame.Size + head.Length));
                await SendAsync(sending.AsMemory(0, WorkerFrame.Size + head.Length + body.Length));
            }
            else
            {
                await SendAsync(sending.AsMemory(0, WorkerFrame.Size));
                await SendAsync(head);
                await SendAsync(body);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Dispose();
            await pending;
            return (Volatile.Read(ref timedOut) ? ExchangeEnd.TimedOut : ExchangeEnd.NotBegun, default);
        }

        return await pending;
    }

    /// <summary>Bytes of the answer, at least one unless the peer is gone (0).</summary>
    public ValueTask<int> ReadAsync(Memory<byte> into)
    {
        if (end > start)
        {
            var count = Math.Min(end - start, into.Length);
            received.AsMemory(start, count).CopyTo(into);
            start += count;
            return new(count);
        }

        return socket.ReceiveAsync(into, SocketFlags.None, CancellationToken.None);
    }

    /// <summary>The next frame of a streamed answer, or null when the peer is gone or sent none.</summary>
    public async ValueTask<WorkerFrame?> ReadPieceAsync()
    {
        var header = new byte[WorkerFrame.Size];
        return await FillAsync(header) && WorkerFrame.Parse(header) is { Kind: FrameKind.Piece, HeadLength: 0 } frame ? frame : null;
    }

    /// <summary>Fills <paramref name="into"/> with bytes of the answer; false when the connection ended before.</summary>
    public async ValueTask<bool> FillAsync(Memory<byte> into)
    {
        try
        {
            while (into.Length > 0)
            {
                var got = await ReadAsync(into);
                if (got == 0)
                {
                    return false;
                }

                into = into[got..];
            }

            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Ends an answered exchange. False when the timeout struck meanwhile; then the connection is gone.</summary>
    public bool Complete()
    {
        if (!timer.TryReset())
        {
            Abandon();
            return false;
        }

        response.Reset();
        Volatile.Write(ref state, Idle);
        if (closing)
        {
            CloseWhenIdle();
        }

        consumed.Set(true);
        return !HasEnded;
    }

    /// <summary>Ends an answered exchange whose body cannot be read to its end; the connection goes with it.</summary>
    public void Abandon()
    {
        Dispose();
        consumed.Set(false);
    }

    // The timer stays undisposed: its owner may be about to reset it, and without a wait handle it holds nothing but memory.
    public void Dispose() => socket.Dispose();

    private void OnTimeout()
    {
        Volatile.Write(ref timedOut, true);
        socket.Dispose();
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, CancellationToken.None)..];
        }
    }

    private async ValueTask<bool> FillAsync(int count, CancellationToken ct)
    {
        if (start > 0)
        {
            received.AsSpan(start, end - start).CopyTo(received);
            (start, end) = (0, end - start);
        }

        while (end < count)
        {
            var got = await socket.ReceiveAsync(received.AsMemory(end), SocketFlags.None, ct);
            if (got == 0)
            {
                return false;
            }

            end += got;
        }

        return true;
    }

    private async Task<byte[]> TakeBodyAsync(int count, CancellationToken ct)
    {
        var body = new byte[count];
        for (var got = 0; got < count;)
        {
            var more = end > start ? await ReadAsync(body.AsMemory(got)) : await socket.ReceiveAsync(body.AsMemory(got), SocketFlags.None, ct);
            got += more > 0 ? more : throw new IOException("The scoring process ended within its hello.");
        }

        return body;
    }

    private WorkerFrame? Take()
    {
        var frame = WorkerFrame.Parse(received.AsSpan(start, end - start));
        start += WorkerFrame.Size;
        return frame;
    }
}
