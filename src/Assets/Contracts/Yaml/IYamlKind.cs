namespace Zaffre.Assets;

/// <summary>
/// One kind of YAML file that <c>yaml:resolve</c> reads. Register as a singleton. The protocol is docs/yaml-resolve.md.
/// </summary>
public interface IYamlKind
{
    /// <summary>The name that <c>az ml</c> gives it: <c>job</c>, <c>model</c>, <c>online-deployment</c>, ...</summary>
    string Kind { get; }

    /// <summary>
    /// Reads <see cref="YamlReading.Root"/>, reports everything wrong through <see cref="YamlMap.Error"/>, and adds the requests in the
    /// order in which they must be sent (the last one makes the resource). Called again from the start once missing files are there,
    /// so it must have no effect of its own. Unknown keys of <see cref="YamlReading.Root"/> are reported afterwards by the caller.
    /// </summary>
    ValueTask ReadAsync(YamlReading reading, CancellationToken ct);
}

/// <summary>What a local path must be.</summary>
public enum UploadKind
{
    Any,
    File,
    Folder,
}

/// <summary>The texts that stand for an upload until the client has made it: <paramref name="Uri"/> becomes its datastore URI,
/// <paramref name="Hash"/> the hex hash of its content. Both may be part of longer strings.</summary>
public sealed record UploadReference(string Uri, string Hash);

/// <summary>What stands under a key.</summary>
public enum YamlShape
{
    Missing,
    Null,
    Scalar,
    List,
    Map,
}
