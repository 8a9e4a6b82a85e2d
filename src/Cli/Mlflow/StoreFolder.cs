using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using Zaffre.Kernel;

namespace Zaffre.Cli.Mlflow;

/// <summary>A folder of MLflow's file store: <c>meta.yaml</c> and folders with a file for each key. Links and special files are left out and told.</summary>
internal sealed class StoreFolder(string path, TransferReport report)
{
    private const int LongestMeta = 1024 * 1024;
    private const int LongestValue = 4 * 1024 * 1024;

    public string Path => path;

    public string Name => System.IO.Path.GetFileName(path);

    public bool Exists => Directory.Exists(path);

    public StoreFolder Below(string name) => new(System.IO.Path.Combine(path, name), report);

    /// <summary>The folders in it, by name; those that are links are told.</summary>
    public IEnumerable<StoreFolder> Folders()
    {
        if (!Exists)
        {
            yield break;
        }

        foreach (var entry in new DirectoryInfo(path).EnumerateDirectories().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (entry.LinkTarget is not null)
            {
                report.Problem($"{entry.FullName} is a symbolic link; links are not followed.");
                continue;
            }

            yield return new StoreFolder(entry.FullName, report);
        }
    }

    /// <summary>The <c>meta.yaml</c>, or another file of YAML, with scalars as texts; null when there is none, or it is broken.</summary>
    public JsonObject? Meta(string file = "meta.yaml")
    {
        var at = System.IO.Path.Combine(path, file);
        if (!PlainFile.IsRegular(at))
        {
            return null;
        }

        try
        {
            return new FileInfo(at).Length > LongestMeta
                ? throw new IOException($"it has more than {LongestMeta} bytes.")
                : Node(new DeserializerBuilder().Build().Deserialize<object?>(File.ReadAllText(at)), 0) as JsonObject;
        }
        catch (Exception exception) when (exception is YamlException or IOException or UnauthorizedAccessException)
        {
            report.Problem($"{at} cannot be read: {exception.Message}");
            return null;
        }
    }

    /// <summary>The files below it, each a key (with slashes for folders).</summary>
    public IEnumerable<(string Key, string File)> Keys()
    {
        if (!Exists)
        {
            yield break;
        }

        var left = new Stack<string>([path]);
        while (left.TryPop(out var folder))
        {
            foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
            {
                if (entry is DirectoryInfo && entry.LinkTarget is null)
                {
                    left.Push(entry.FullName);
                }
                else if (PlainFile.IsRegular(entry.FullName))
                {
                    yield return (System.IO.Path.GetRelativePath(path, entry.FullName), entry.FullName);
                }
                else
                {
                    report.Problem($"{entry.FullName} is no plain file.");
                }
            }
        }
    }

    /// <summary>Keys with the contents of their files.</summary>
    public JsonObject Pairs()
    {
        var pairs = new JsonObject();
        foreach (var (key, file) in Keys())
        {
            if (new FileInfo(file).Length > LongestValue)
            {
                report.Problem($"{file} has more than {LongestValue} bytes.");
                continue;
            }

            pairs[key] = File.ReadAllText(file);
        }

        return pairs;
    }

    private static JsonNode? Node(object? value, int depth) => depth > 32 ? null : value switch
    {
        null => null,
        IDictionary<object, object?> map => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key.ToString() ?? "", Node(pair.Value, depth + 1))).DistinctBy(pair => pair.Key)),
        IList<object?> list => new JsonArray([.. list.Select(item => Node(item, depth + 1))]),
        "null" or "~" or "" => null,
        var scalar => JsonValue.Create(scalar.ToString()),
    };
}
