using System.Globalization;

namespace Zaffre.Gateway.Onnx;

/// <summary>A folder of models in Triton's layout: <c>NAME/config.pbtxt</c> (optional) and <c>NAME/{number}/model.onnx</c>.</summary>
internal static class TritonRepository
{
    /// <summary>Every model and version that is to be served. Throws <see cref="ModelException"/> that names what is wrong.</summary>
    public static IReadOnlyList<((string Name, string Version) Id, string Path)> Find(string folder)
    {
        // The folder of one model is a repository of one, too.
        var roots = Versions(folder).Count > 0 ? [folder] : Directory.GetDirectories(folder).Order(StringComparer.Ordinal).ToArray();
        var found = roots.SelectMany(root => OfModel(root)).ToList();
        return found.Count > 0
            ? found
            : throw new ModelException("ModelFilesMissing", "The model repository holds no model: it must have NAME/1/model.onnx, with a number for the version.");
    }

    private static IEnumerable<((string Name, string Version) Id, string Path)> OfModel(string root)
    {
        var config = TritonConfig.Read(Path.Combine(root, "config.pbtxt"));
        var name = config.Name ?? Path.GetFileName(root);
        if (config.Backend is { } backend && backend is not ("onnxruntime" or "onnxruntime_onnx"))
        {
            throw new ModelException("OperationNotSupported", $"Model {name} of the repository is for '{backend}'; only ONNX models (platform onnxruntime_onnx) are served.");
        }

        var versions = config.Choose(Versions(root));
        if (versions.Count == 0)
        {
            throw new ModelException("ModelFilesMissing", $"Model {name} of the repository has no version to serve: a folder with a number as its name, holding {config.File}.");
        }

        foreach (var version in versions)
        {
            var path = Path.Combine(root, version.ToString(CultureInfo.InvariantCulture), config.File);
            yield return File.Exists(path)
                ? ((name, version.ToString(CultureInfo.InvariantCulture)), path)
                : throw new ModelException("ModelFilesMissing", $"Version {version} of model {name} has no {config.File}.");
        }
    }

    private static List<long> Versions(string root) =>
        [.. Directory.GetDirectories(root).Select(Path.GetFileName).Select(n => long.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var v) && v > 0 ? v : 0).Where(v => v > 0).OrderDescending()];
}
