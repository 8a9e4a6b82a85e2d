using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Compute;

/// <summary>
/// What an environment was made of when it became real: enough to have the same one again. <paramref name="Python"/> is the interpreter's whole version, null
/// when there is none. The tools that only install (pip, setuptools, wheel) are no part of it unless a package needs them.
/// </summary>
public sealed record EnvironmentLock(EnvironmentKind Kind, string? Python)
{
    /// <summary>The version of a package whose module is Zaffre's own stand-in.</summary>
    public const string StandIn = "stand-in";

    /// <summary>Id of the image: the digest of its configuration, which names all of its content; null outside of containers.</summary>
    public string? Image { get; init; }

    /// <summary>The image under a name and a digest by which registries give it; null when the engine knows none.</summary>
    public string? ImageSource { get; init; }

    /// <summary>Exact versions by normalized name: of a virtual environment everything in it, of a host the declared packages and what they require, of a container what was installed over the image.</summary>
    public IReadOnlyDictionary<string, string> Packages { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>As JSON; equal locks give equal texts.</summary>
    public string Text
    {
        get
        {
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer))
            {
                writer.WriteStartObject();
                writer.WriteString("kind", Kind.ToString());
                Write(writer, "python", Python);
                Write(writer, "image", Image);
                Write(writer, "imageSource", ImageSource);
                writer.WriteStartObject("packages");
                foreach (var (name, version) in Packages.OrderBy(package => package.Key, StringComparer.Ordinal))
                {
                    writer.WriteString(name, version);
                }

                writer.WriteEndObject();
                writer.WriteEndObject();
            }

            return Encoding.UTF8.GetString(buffer.ToArray());
        }
    }

    /// <summary>SHA-256 of a lock's text, in lower-case hex digits.</summary>
    public static string DigestOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Reads <see cref="Text"/> again; null for anything else.</summary>
    public static EnvironmentLock? Read(string text)
    {
        try
        {
            return JsonNode.Parse(text) is JsonObject stored && Enum.TryParse<EnvironmentKind>(stored.Text("kind"), out var kind)
                ? new EnvironmentLock(kind, stored.Text("python"))
                {
                    Image = stored.Text("image"),
                    ImageSource = stored.Text("imageSource"),
                    Packages = (stored.Object("packages") ?? []).ToDictionary(package => package.Key, package => package.Value.Text() ?? "", StringComparer.Ordinal),
                }
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether both are made of the same: interpreter, image and packages, made real in the same way.</summary>
    public bool Matches(EnvironmentLock other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Kind == other.Kind && Python == other.Python && Image == other.Image && Packages.Count == other.Packages.Count && Packages.All(package => other.Packages.GetValueOrDefault(package.Key) == package.Value);
    }

    private static void Write(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }
}
