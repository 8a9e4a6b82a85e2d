using System.Globalization;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>An input or output that a component declares.</summary>
internal sealed record Port(string Type)
{
    public bool Optional { get; init; }

    /// <summary>The value when none is given.</summary>
    public string? Default { get; init; }

    public double? Min { get; init; }

    public double? Max { get; init; }

    /// <summary>The values allowed; all when empty.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    public bool IsPrimitive => PortTypes.IsPrimitive(Type);

    /// <summary>Why the literal is no value of this port, or null.</summary>
    public string? Problem(string value)
    {
        var number = 0.0;
        var fits = Type switch
        {
            PortTypes.Number => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number),
            PortTypes.Integer => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) && (number = whole) == whole,
            PortTypes.Boolean => bool.TryParse(value, out _),
            _ => true,
        };
        if (!fits)
        {
            return $"'{value}' is no {Type}";
        }

        if (Type is PortTypes.Number or PortTypes.Integer && (number < Min || number > Max))
        {
            return string.Create(CultureInfo.InvariantCulture, $"'{value}' is not between {Min?.ToString(CultureInfo.InvariantCulture) ?? "any number"} and {Max?.ToString(CultureInfo.InvariantCulture) ?? "any number"}");
        }

        return Choices.Count == 0 || Choices.Contains(value, StringComparer.Ordinal) ? null : $"'{value}' is none of {string.Join(", ", Choices)}";
    }
}

/// <summary>The types of ports, in canonical spelling.</summary>
internal static class PortTypes
{
    public const string Number = "number";
    public const string Integer = "integer";
    public const string Boolean = "boolean";
    public const string Text = "string";

    private static readonly string[] Primitives = [Number, Integer, Boolean, Text];

    public static bool IsPrimitive(string type) => Primitives.Contains(type, StringComparer.Ordinal);

    public static string? Primitive(string? type) => Primitives.FirstOrDefault(known => known.Equals(type, StringComparison.OrdinalIgnoreCase));

    /// <summary>The type, or null when there is none of that name.</summary>
    public static string? Of(string? type) => Primitive(type) ?? JobTypes.Output(type);

    public static string Allowed => string.Join(", ", Primitives) + ", " + JobTypes.Allowed(literal: false);

    /// <summary>
    /// Whether what one step writes can be what another reads. A folder may hold anything that is a folder; a custom model is a file or a folder;
    /// every value is a text, and a whole number is a number.
    /// </summary>
    public static bool Fits(string wanted, string given) => wanted == given || wanted switch
    {
        JobTypes.UriFile => given == "custom_model",
        "custom_model" => !IsPrimitive(given),
        JobTypes.UriFolder => given != JobTypes.UriFile && !IsPrimitive(given),
        "mltable" => given == JobTypes.UriFolder,
        "mlflow_model" or "triton_model" => given is JobTypes.UriFolder or "custom_model",
        Text => IsPrimitive(given),
        Number => given == Integer,
        _ => false,
    };
}
