using System.Text.Json;

namespace Zaffre.WireGen;

/// <summary>The contract data as read from <c>spec/arm-models.json</c>.</summary>
internal sealed record ModelSpec
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public required string ApiVersion { get; init; }

    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Enums { get; init; }

    public required IReadOnlyDictionary<string, Model> Models { get; init; }

    public static ModelSpec Parse(string json) =>
        JsonSerializer.Deserialize<ModelSpec>(json, Options) ?? throw new InvalidDataException("The contract data is empty.");

    /// <summary>The wire names of every member that <paramref name="model"/>'s bases declare.</summary>
    public IReadOnlySet<string> InheritedNames(Model model)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var at = model.Base; at is not null; at = Models[at].Base)
        {
            names.UnionWith(Models[at].Properties.Select(property => property.SerializedName));
        }

        return names;
    }
}

/// <summary>One object of the wire.</summary>
internal sealed record Model
{
    public string? Base { get; init; }

    public string? DiscriminatorValue { get; init; }

    public Discriminator? Discriminator { get; init; }

    public string? Caution { get; init; }

    public IReadOnlyList<string> ResponseOf { get; init; } = [];

    public IReadOnlyList<string> RequestOf { get; init; } = [];

    public required IReadOnlyList<Property> Properties { get; init; }
}

/// <summary>Which member says what the object is, and the model of each of its values.</summary>
internal sealed record Discriminator(string Property, IReadOnlyDictionary<string, string> Mapping);

/// <summary>One member of an object.</summary>
internal sealed record Property
{
    public required string SerializedName { get; init; }

    public required string Type { get; init; }

    public bool Required { get; init; }

    public bool ReadOnly { get; init; }

    public string? InheritedFrom { get; init; }

    public string? Enum { get; init; }

    public bool IsDiscriminator { get; init; }

    public IReadOnlyList<string>? Mutability { get; init; }

    public IReadOnlyDictionary<string, JsonElement>? Constraints { get; init; }
}
