using Zaffre.Storage;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;

namespace Zaffre.Tracking.History;

/// <summary>
/// What artifacts are grouped by: a run (<c>ExperimentRun</c>, <c>dcid.RUN</c>), or one upload of a client (<c>LocalUpload</c>, a name that it chose). An artifact is a
/// file, and its id is its place in the artifact store: origin, container, path.
/// </summary>
internal sealed record ArtifactContainer(string Origin, string Name, BlobAddress Root, RunRow? Run)
{
    /// <summary>The origin of the artifacts of runs.</summary>
    public const string OfRuns = "ExperimentRun";

    public string Id(string path) => $"{Origin}/{Name}/{path}";

    /// <summary>The file of a path, which names one.</summary>
    public BlobAddress At(string path) => ArtifactPath.Check(path) is { Length: > 0 } clean ? Root.Child(clean) : throw MlflowErrors.Invalid("Invalid path");

    public string PathOf(BlobInfo blob) => blob.Name[(Root.Name.Length + 1)..];
}
