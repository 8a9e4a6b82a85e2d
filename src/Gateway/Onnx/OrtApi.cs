using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Zaffre.Gateway.Onnx;

/// <summary>
/// ONNX Runtime's C interface: a table of functions whose order is part of its contract. Loaded once in a process; thread safe.
/// Every failure is an <see cref="OrtException"/> with the library's own code and message.
/// </summary>
internal sealed unsafe partial class OrtApi
{
    private const uint TableVersion = 22;
    private const int ArenaAllocator = 1;
    private const int KeepExactSizes = 1;
    private const int Warnings = 2;
    private static readonly Lock Gate = new();
    private static OrtApi? loaded;
    private readonly void** table;

    private OrtApi(string path)
    {
        var library = NativeLibrary.Load(path);
        var root = (void**)((delegate* unmanaged<void*>)NativeLibrary.GetExport(library, "OrtGetApiBase"))();
        table = (void**)((delegate* unmanaged<uint, void*>)root[0])(TableVersion);
        if (table is null)
        {
            throw new OrtException(0, $"{path} does not know version {TableVersion} of its interface.");
        }

        nint environment, memory, allocator, arena;
        var name = "zaffre\0"u8;
        fixed (byte* id = name)
        {
            Check(((delegate* unmanaged<int, byte*, nint*, nint>)table[3])(Warnings, id, &environment));
        }

        Check(((delegate* unmanaged<int, int, nint*, nint>)table[69])(ArenaAllocator, 0, &memory));
        Check(((delegate* unmanaged<nint*, nint>)table[78])(&allocator));
        Check(((delegate* unmanaged<nuint, int, int, int, nint*, nint>)table[156])((nuint)ArenaBytes, KeepExactSizes, -1, -1, &arena));
        Check(((delegate* unmanaged<nint, nint, nint, nint>)table[144])(environment, memory, arena));
        ((delegate* unmanaged<nint, void>)table[157])(arena);
        (Environment, Memory, Allocator) = (environment, memory, allocator);
    }

    /// <summary>The most that all models of the process may allocate together: half of what the process may use, or <c>ZAFFRE_ONNX_MEMORY_MB</c>.</summary>
    public static long ArenaBytes { get; } = long.TryParse(System.Environment.GetEnvironmentVariable("ZAFFRE_ONNX_MEMORY_MB"), out var megabytes) && megabytes > 0
        ? megabytes << 20
        : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2;

    public nint Environment { get; }

    public nint Memory { get; }

    public nint Allocator { get; }

    /// <summary>The interface; the first call loads the library after its content was compared with what is pinned.</summary>
    public static OrtApi Load()
    {
        lock (Gate)
        {
            return loaded ??= new OrtApi(Verified());
        }
    }

    /// <summary>The file to load, its content compared with what is pinned; throws when there is none or it differs.</summary>
    public static string Verified()
    {
        if (OnnxRuntimeLibrary.Missing is { } missing || OnnxRuntimeLibrary.Path is not { } path)
        {
            throw new OrtException(0, $"ONNX models cannot be scored: {OnnxRuntimeLibrary.Missing}.");
        }

        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file)) == OnnxRuntimeLibrary.Sha256
            ? path
            : throw new OrtException(0, $"{path} is not ONNX Runtime {OnnxRuntimeLibrary.Version} as it was published (its SHA-256 differs); remove it and run './zaffre onnxruntime'.");
    }

    /// <summary>Throws what a status says; a null status is success.</summary>
    public void Check(nint status)
    {
        if (status == 0)
        {
            return;
        }

        var code = ((delegate* unmanaged<nint, int>)table[1])(status);
        var message = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<nint, byte*>)table[2])(status)) ?? "";
        ((delegate* unmanaged<nint, void>)table[93])(status);
        throw new OrtException(code, message);
    }

    private void Release(int slot, nint what)
    {
        if (what != 0)
        {
            ((delegate* unmanaged<nint, void>)table[slot])(what);
        }
    }
}

/// <summary>A failure that ONNX Runtime reports. <paramref name="code"/> is its own: 2 an argument, 3 no such file, 7 no protobuf, 10 not implemented.</summary>
internal sealed class OrtException(int code, string message) : Exception(message)
{
    public int Code { get; } = code;
}
