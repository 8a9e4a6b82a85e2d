using System.Runtime.InteropServices;

namespace Zaffre.Gateway;

/// <summary>
/// The native library of ONNX Runtime: one version, whose content is known by its SHA-256. Looked for in <c>ZAFFRE_ONNXRUNTIME</c> (a file), in
/// <c>runtimes/linux-{x64|arm64}/native</c> beside the program, and in the user's cache, where <c>./zaffre onnxruntime</c> puts it.
/// </summary>
public static class OnnxRuntimeLibrary
{
    /// <summary>The version that is pinned.</summary>
    public const string Version = "1.30.0";

    private const string FileName = "libonnxruntime.so.1";

    /// <summary>Lower-case hexadecimal SHA-256 of the library for this machine; null when there is none for its processor.</summary>
    public static string? Sha256 => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23",
        Architecture.Arm64 => "1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76",
        _ => null,
    };

    /// <summary>Absolute path of the file when this machine has one. Its content is checked when it is loaded.</summary>
    public static string? Path => Candidates().FirstOrDefault(File.Exists);

    /// <summary>Why ONNX models cannot be scored in the gateway here, with the remedy; null when they can.</summary>
    public static string? Missing => Sha256 is null
        ? $"ONNX Runtime {Version} is not available for {RuntimeInformation.ProcessArchitecture} processors; give code_configuration with a scoring script instead"
        : Path is null ? $"this server has no ONNX Runtime {Version}; run './zaffre onnxruntime' on it, then deploy again" : null;

    private static IEnumerable<string> Candidates()
    {
        if (Environment.GetEnvironmentVariable("ZAFFRE_ONNXRUNTIME") is { Length: > 0 } set)
        {
            return [set];
        }

        var processor = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } own
            ? own
            : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return
        [
            System.IO.Path.Combine(AppContext.BaseDirectory, "runtimes", $"linux-{processor}", "native", FileName),
            System.IO.Path.Combine(cache, "zaffre", "onnxruntime", Version, processor, FileName),
        ];
    }
}
