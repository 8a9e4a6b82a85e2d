using FsCheck;
using FsCheck.Fluent;
using Zaffre.Gateway.Workers;

namespace Zaffre.Tests.Unit.Gateway;

public sealed class WorkerFrameTests
{
    [Fact]
    public void A_frame_survives_the_wire()
    {
        var frame = new WorkerFrame(FrameKind.Response, FrameFlags.Json | FrameFlags.RunFailed, 500, 17, 1_000_000, 42);
        Span<byte> bytes = stackalloc byte[WorkerFrame.Size];
        frame.Write(bytes);
        Assert.Equal(frame, WorkerFrame.Parse(bytes));
    }

    [Fact]
    public void Any_bytes_are_a_frame_within_bounds_or_none() => Check.QuickThrowOnFailure(
        Prop.ForAll<byte[]>(bytes => WorkerFrame.Parse(bytes) is not { } frame
            || (frame.HeadLength is >= 0 and <= WorkerFrame.MaxHead && frame.BodyLength is >= 0 and <= WorkerFrame.MaxBody && frame.Number >= 0)));

    [Theory]
    [InlineData(0, 0x00)]
    [InlineData(1, 0x00)]
    [InlineData(1, 0x09)]
    [InlineData(3, 0x01)]
    [InlineData(11, 0xFF)]
    [InlineData(15, 0xFF)]
    [InlineData(19, 0xFF)]
    public void A_byte_out_of_place_makes_it_no_frame(int at, byte value)
    {
        var bytes = new byte[WorkerFrame.Size];
        new WorkerFrame(FrameKind.Response, FrameFlags.None, 200, 1, 1, 1).Write(bytes);
        Assert.NotNull(WorkerFrame.Parse(bytes));
        bytes[at] = value;
        Assert.Null(WorkerFrame.Parse(bytes));
    }

    [Fact]
    public void A_short_header_is_no_frame() => Assert.Null(WorkerFrame.Parse(new byte[WorkerFrame.Size - 1]));
}
