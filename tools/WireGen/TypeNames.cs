namespace Zaffre.WireGen;

/// <summary>Turns the type and member names of the contract data into C#.</summary>
internal static class TypeNames
{
    /// <summary>The C# name of a model. <c>Resource</c> gives way to the document store's type of that name.</summary>
    public static string Class(string model) => model == "Resource" ? "WireResource" : model;

    /// <summary>The C# name of a member; never that of the type it stands in.</summary>
    public static string Member(string wireName, string owner)
    {
        var name = char.ToUpperInvariant(wireName[0]) + wireName[1..];
        return name == owner ? name + "Value" : name;
    }

    /// <summary>The C# name of an enumeration's value.</summary>
    public static string Value(string value) =>
        string.Concat(value.Split(',', '_', '-', ' ').Where(part => part.Length > 0).Select(part => char.ToUpperInvariant(part[0]) + part[1..]));

    /// <summary>The innermost type of lists and maps.</summary>
    public static string Element(string type)
    {
        if (type.EndsWith("[]", StringComparison.Ordinal))
        {
            return Element(type[..^2]);
        }

        return type.StartsWith("map<string,", StringComparison.Ordinal) ? Element(type["map<string,".Length..^1]) : type;
    }

    /// <summary>The C# type, without its final question mark.</summary>
    public static string CSharp(string type)
    {
        if (type.EndsWith("[]", StringComparison.Ordinal))
        {
            return $"IReadOnlyList<{CSharp(type[..^2])}>";
        }

        if (type.StartsWith("map<string,", StringComparison.Ordinal))
        {
            return $"IReadOnlyDictionary<string, {CSharp(type["map<string,".Length..^1])}?>";
        }

        // Dates and durations stay text, so that they leave as they came.
        return type switch
        {
            "string" or "datetime" or "duration (ISO 8601)" => "string",
            "boolean" => "bool",
            "integer" => "long",
            "number" => "double",
            "any" => "JsonNode",
            _ when type.StartsWith("enum ", StringComparison.Ordinal) => "string",
            _ => Class(type),
        };
    }
}
