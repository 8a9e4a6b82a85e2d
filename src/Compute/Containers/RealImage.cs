using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Compute.Containers;

/// <summary>
/// An image as a folder of this host: its files at <paramref name="Root"/>, the variables that its makers set, its shell, and its Python (whole version and
/// path of the interpreter), null when it has none.
/// </summary>
internal sealed record RealImage(string Key, string Root, IReadOnlyDictionary<string, string> Variables, string Shell, string? PythonVersion, string? PythonExecutable)
{
    public string Path => Variables.GetValueOrDefault("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public static RealImage Read(string key, string root, JsonObject stored) => new(
        key,
        root,
        (stored.Object("variables") ?? []).ToDictionary(v => v.Key, v => v.Value.Text() ?? "", StringComparer.Ordinal),
        stored.Text("shell") ?? "/bin/sh",
        stored.Text("pythonVersion"),
        stored.Text("python"));

    public JsonObject Write() => new()
    {
        ["variables"] = new JsonObject(Variables.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)v.Value))),
        ["shell"] = Shell,
        ["pythonVersion"] = PythonVersion,
        ["python"] = PythonExecutable,
    };
}
