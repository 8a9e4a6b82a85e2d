using System.Diagnostics;
using Zaffre.Gateway.Workers;

namespace Zaffre.Gateway.Onnx;

/// <summary>Reading, running and writing of one request. What goes wrong becomes what the slot's bytes say.</summary>
internal sealed record OnnxWork(OnnxCall Call, OnnxSlot Slot, OnnxGuard Guard, ReadOnlyMemory<byte> Body, long Deadline)
{
    private const int InvalidArgument = 2;

    /// <summary>Milliseconds that are left of the request's time, at least one.</summary>
    public int Left => (int)Math.Clamp((Deadline - Stopwatch.GetTimestamp()) / (Stopwatch.Frequency / 1000), 1, int.MaxValue);

    /// <summary>Everything on the calling thread.</summary>
    public (ScoringEnd End, double Micros) Run()
    {
        var began = Stopwatch.GetTimestamp();
        var end = Read();
        return (end == ScoringEnd.Succeeded ? RunAndWrite() : end, Stopwatch.GetElapsedTime(began).TotalMicroseconds);
    }

    /// <summary>The body into the inputs; <see cref="ScoringEnd.Invalid"/> when it does not fit.</summary>
    public ScoringEnd Read()
    {
        try
        {
            Call.Read(Body.Span, Slot);
            return ScoringEnd.Succeeded;
        }
        catch (InputException e)
        {
            Slot.Status = e.Status;
            return Refuse(e.Message);
        }
    }

    public ScoringEnd RunAndWrite()
    {
        var end = ScoringEnd.ModelError;
        Guard.Enter();
        try
        {
            Slot.Run(Left);
            Call.Write(Slot);
            return end = ScoringEnd.Succeeded;
        }
        catch (OrtException) when (Slot.HasTimedOut)
        {
            return ScoringEnd.TimedOut;
        }
        catch (OrtException e) when (e.Code == InvalidArgument)
        {
            Slot.Status = 400;
            return Refuse($"The input does not fit the model: {e.Message}");
        }
        catch (OrtException e)
        {
            return Fail(e.Message);
        }
        finally
        {
            Guard.Leave(end == ScoringEnd.Succeeded);
        }
    }

    /// <summary>The answer of outputs that the slot was given.</summary>
    public ScoringEnd WriteOnly()
    {
        try
        {
            Call.Write(Slot);
            return ScoringEnd.Succeeded;
        }
        catch (OrtException e)
        {
            return Fail(e.Message);
        }
    }

    private ScoringEnd Refuse(string message)
    {
        Slot.Restart();
        Call.WriteRefusal(Slot.Json, Slot.Model, message);
        Slot.Json.Flush();
        return ScoringEnd.Invalid;
    }

    private ScoringEnd Fail(string message)
    {
        Slot.Restart();
        Slot.Json.WriteStartObject();
        Slot.Json.WriteString("message"u8, $"The model failed for this input: {message}");
        Slot.Json.WriteEndObject();
        Slot.Json.Flush();
        return ScoringEnd.ModelError;
    }
}
