using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>Reads <c>az ml</c> YAML for a request that holds <c>kind</c>, <c>file</c>, <c>files</c> and <c>set</c> (docs/yaml-resolve.md). Changes nothing. Thread safe.</summary>
public interface IYamlReader
{
    /// <summary>
    /// What the file says, or everything that is wrong with it, each with its place. When <see cref="YamlReading.Incomplete"/>, files are missing: the
    /// client is to send them too.
    /// </summary>
    Task<Outcome<YamlReading>> ReadAsync(WorkspaceRef workspace, JsonObject request, Caller caller, CancellationToken ct);
}
