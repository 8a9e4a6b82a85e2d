using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>The local content that an upload of <c>yaml:resolve</c> asks for, merged with what is included beside it. Disposing removes what was made for it.</summary>
internal sealed class UploadContent : IDisposable
{
    private readonly IncludedCode? merged;

    private UploadContent(IncludedCode? merged, LocalContent content) => (this.merged, Content) = (merged, content);

    public LocalContent Content { get; }

    /// <summary>Reads what lies there; paths are relative to <paramref name="folder"/>.</summary>
    public static UploadContent Read(JsonObject upload, string folder)
    {
        var includes = (upload["includes"] as JsonArray ?? []).OfType<JsonObject>().Select(one => new Include(Path.Combine(folder, one.Text("local")!), one.Text("at")!)).ToArray();
        var ignore = (upload["ignore"] as JsonArray ?? []).Select(pattern => pattern.Text()!).ToArray();
        var (local, at) = (upload.Text("local") is { } path ? Path.Combine(folder, path) : null, upload.Text("at")!);
        var merged = includes.Length == 0 ? null : IncludedCode.Read(local, at, includes, ignore);
        return new UploadContent(merged, merged?.Content ?? LocalContent.Read(local!, upload.Text("kind")!, at, ignore));
    }

    public void Dispose() => merged?.Dispose();
}
