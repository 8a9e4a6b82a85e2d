namespace Zaffre.Kernel;

/// <summary>The one folder in which a server keeps everything; <paramref name="Root"/> is absolute.</summary>
public sealed record DataDirectory(string Root)
{
    /// <summary>A path below the root.</summary>
    public string Path(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Root, .. parts]);
}
