using System.IO.MemoryMappedFiles;

namespace Zaffre.Gateway.Onnx;

/// <summary>
/// Remembers on disk, in a page that outlives the process, whether a generation's native code was running when the process died. After three
/// deaths in a row with it at work, and not a hundred answers between two of them, it is not loaded again. Thread safe.
/// </summary>
internal sealed unsafe class OnnxGuard : IDisposable
{
    public const int MostDeaths = 3;
    private const int EnoughAnswers = 100;
    private const int Running = 0;
    private const int Deaths = 1;
    private const int Answers = 2;
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly int* counts;

    /// <summary>Opens the page of a generation, and counts a death when its code was at work at the end of an earlier process.</summary>
    public OnnxGuard(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, null, 16);
        view = file.CreateViewAccessor(0, 16);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        counts = (int*)start;
        if (counts[Running] > 0)
        {
            counts[Running] = 0;
            counts[Deaths]++;
        }

        counts[Answers] = 0;
    }

    /// <summary>It has taken the process down too often.</summary>
    public bool IsBlocked => Volatile.Read(ref counts[Deaths]) >= MostDeaths;

    public void Enter() => Interlocked.Increment(ref counts[Running]);

    /// <summary>Its code has returned.</summary>
    public void Leave(bool answered)
    {
        Interlocked.Decrement(ref counts[Running]);
        if (answered && counts[Answers] < EnoughAnswers && Interlocked.Increment(ref counts[Answers]) == EnoughAnswers)
        {
            Volatile.Write(ref counts[Deaths], 0);
        }
    }

    public void Dispose()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file.Dispose();
    }
}
