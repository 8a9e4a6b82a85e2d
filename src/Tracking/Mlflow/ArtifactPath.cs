namespace Zaffre.Tracking.Mlflow;

/// <summary>
/// Paths of artifacts as clients send them. A path is judged after every layer of percent-encoding is undone: nothing may lead
/// out of the run's folder in any reading of it.
/// </summary>
internal static class ArtifactPath
{
    private const int Longest = 1024;
    private const int MostLayers = 8;

    /// <summary>The path without a trailing slash, or INVALID_PARAMETER_VALUE.</summary>
    public static string Check(string path)
    {
        var plain = path.TrimEnd('/');
        return plain.Length == 0 && path.Length <= 1 ? ""
            : IsSafe(plain) ? plain
            : throw MlflowErrors.Invalid("Invalid path");
    }

    /// <summary>Splits <c>{experiment}/{run}/artifacts[/{path}]</c>, the form that <c>mlflow-artifacts:</c> URIs resolve to.</summary>
    public static (string Experiment, string Run, string Path) Split(string path)
    {
        var parts = Check(path).Split('/', 4);
        return parts.Length >= 3 && parts[2] == "artifacts"
            ? (parts[0], parts[1], parts.Length > 3 ? parts[3] : "")
            : throw MlflowErrors.Invalid("Invalid path");
    }

    /// <summary>Whether the path leads to a place below the run's folder, in every reading of it.</summary>
    public static bool IsPlain(string path) => IsSafe(path);

    private static bool IsSafe(string path)
    {
        var layer = path;
        for (var i = 0; i < MostLayers; i++)
        {
            // MLflow's log_image writes names like images/KEY%step%3%timestamp%1732…: further layers may show control characters by accident.
            var plain = i == 0;
            if (layer.Length > Longest || layer.Count(c => c == '/') != path.Count(c => c == '/') || layer.Any(c => c is '\\' or '\0' or '\r' or '\n' || (plain && char.IsControl(c)))
                || layer.Split('/').Any(part => part is "" or "." or ".."))
            {
                return false;
            }

            var next = Uri.UnescapeDataString(layer);
            if (next == layer)
            {
                return true;
            }

            layer = next;
        }

        return false;
    }
}
