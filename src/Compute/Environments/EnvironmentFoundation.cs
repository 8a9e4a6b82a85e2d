namespace Zaffre.Compute.Environments;

/// <summary>
/// What a virtual environment is built on: the host's Python, or an image's. <paramref name="Identity"/> tells foundations apart in the key of what is built;
/// <paramref name="Root"/> is the image's root file system, null for the host; <paramref name="Version"/> is the whole version of the interpreter.
/// </summary>
internal sealed record EnvironmentFoundation(string Identity, string Executable, string Version, string? Root)
{
    /// <summary>The version as folders of packages name it: <c>3.11</c>.</summary>
    public string ShortVersion => string.Join('.', Version.Split('.').Take(2));

    /// <summary>What a task sees of the system: the image instead of the host.</summary>
    public IEnumerable<TaskBind> Binds => Root is null ? [] : [new TaskBind(Root, "/")];

    /// <summary>Where tasks see the work folder of a key: on the host at its own path, in an image where images have nothing.</summary>
    public string ViewOf(string key, string work) => Root is null ? work : "/mnt/zaffre/environments/" + key;
}
