namespace Zaffre.Assets;

/// <summary>Names of assets as clients write them.</summary>
internal static class AssetNames
{
    /// <summary>Without the <c>azureml:</c> that clients leave in front of a name.</summary>
    public static string Strip(string name) => name.StartsWith("azureml:", StringComparison.OrdinalIgnoreCase) ? name["azureml:".Length..] : name;
}
