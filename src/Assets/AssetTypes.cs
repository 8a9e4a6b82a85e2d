namespace Zaffre.Assets;

/// <summary>How asset types are spelled in ids.</summary>
internal static class AssetTypes
{
    public static string Segment(AssetType type) => type switch
    {
        AssetType.Data => "data",
        AssetType.Model => "models",
        AssetType.Environment => "environments",
        AssetType.Code => "codes",
        AssetType.Component => "components",
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    public static AssetType? Parse(string segment) => segment.ToLowerInvariant() switch
    {
        "data" => AssetType.Data,
        "models" => AssetType.Model,
        "environments" => AssetType.Environment,
        "codes" => AssetType.Code,
        "components" => AssetType.Component,
        _ => null,
    };

    /// <summary>The type in messages.</summary>
    public static string Word(AssetType type) => type.ToString().ToLowerInvariant();
}
