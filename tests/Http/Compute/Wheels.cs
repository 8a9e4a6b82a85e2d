using System.IO.Compression;

namespace Zaffre.Tests.Http.Compute;

/// <summary>Packages of the tests' own: pure-Python wheels of one module, in the server's folder <c>wheels</c>.</summary>
internal static class Wheels
{
    /// <summary>Adds <paramref name="module"/> in a version; <paramref name="requires"/> are requirements of pip.</summary>
    public static void Add(string root, string module, string version, string code, params string[] requires)
    {
        Directory.CreateDirectory(Path.Combine(root, "wheels"));
        var information = $"{module}-{version}.dist-info";
        using var wheel = ZipFile.Open(Of(root, module, version), ZipArchiveMode.Create);
        foreach (var (name, content) in new[]
        {
            (module + ".py", code),
            (information + "/METADATA", $"Metadata-Version: 2.1\nName: {module.Replace('_', '-')}\nVersion: {version}\n{string.Concat(requires.Select(one => $"Requires-Dist: {one}\n"))}"),
            (information + "/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
            (information + "/RECORD", $"{module}.py,,\n{information}/METADATA,,\n{information}/WHEEL,,\n{information}/RECORD,,\n"),
        })
        {
            using var writer = new StreamWriter(wheel.CreateEntry(name).Open());
            writer.Write(content);
        }
    }

    /// <summary>Takes it away again.</summary>
    public static void Remove(string root, string module, string version) => File.Delete(Of(root, module, version));

    private static string Of(string root, string module, string version) => Path.Combine(root, "wheels", $"{module}-{version}-py3-none-any.whl");
}
