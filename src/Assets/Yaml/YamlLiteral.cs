using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Zaffre.Assets.Yaml;

/// <summary>
/// A scalar as the official clients send it: they read YAML 1.1 into Python and write the value back as text, so that <c>true</c> and <c>yes</c> become
/// <c>True</c>, <c>0.50</c> becomes <c>0.5</c> and <c>0x10</c> becomes <c>16</c>. What is quoted, and what YAML 1.1 takes for no number (<c>1e-3</c>), stays.
/// </summary>
internal static partial class YamlLiteral
{
    private const int Sixty = 60;
    private const double FirstWithExponent = 1e16;

    public static string Of(YamlText scalar) => scalar.Plain ? Of(scalar.Text) : scalar.Text;

    private static string Of(string text)
    {
        if (True().IsMatch(text))
        {
            return "True";
        }

        if (False().IsMatch(text))
        {
            return "False";
        }

        var plain = text.Replace("_", "", StringComparison.Ordinal);
        return Whole().IsMatch(text) ? OfWhole(plain) : Real().IsMatch(text) ? OfReal(plain) : text;
    }

    private static string OfWhole(string text)
    {
        var (negative, digits) = (text[0] == '-', text.TrimStart('-', '+'));
        var number = digits switch
        {
            "0" => BigInteger.Zero,
            ['0', 'b', .. var bits] => bits.Aggregate(BigInteger.Zero, (sum, bit) => (sum * 2) + (bit - '0')),
            ['0', 'x', .. var hex] => BigInteger.Parse("0" + hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
            ['0', .. var octal] => octal.Aggregate(BigInteger.Zero, (sum, digit) => (sum * 8) + (digit - '0')),
            _ => digits.Split(':').Aggregate(BigInteger.Zero, (sum, part) => (sum * Sixty) + BigInteger.Parse(part, CultureInfo.InvariantCulture)),
        };
        return (negative ? -number : number).ToString(CultureInfo.InvariantCulture);
    }

    private static string OfReal(string text)
    {
        var (negative, digits) = (text[0] == '-', text.TrimStart('-', '+').ToLowerInvariant());
        if (digits is ".inf" or ".nan")
        {
            return (negative ? "-" : "") + digits[1..];
        }

        var value = digits.Split(':').Aggregate(0.0, (sum, part) => (sum * Sixty) + double.Parse(part, NumberStyles.Float, CultureInfo.InvariantCulture));
        var shown = value.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
        if (double.IsInfinity(value))
        {
            shown = "inf";
        }
        else if (value < FirstWithExponent && value == Math.Floor(value))
        {
            shown = value.ToString("F1", CultureInfo.InvariantCulture);
        }
        else if (value >= FirstWithExponent && !shown.Contains('e', StringComparison.Ordinal))
        {
            var mantissa = shown.TrimEnd('0');
            shown = string.Create(CultureInfo.InvariantCulture, $"{mantissa[0]}{(mantissa.Length > 1 ? "." : "")}{mantissa[1..]}e+{shown.Length - 1}");
        }

        return (negative ? "-" : "") + shown;
    }

    [GeneratedRegex(@"^(yes|Yes|YES|true|True|TRUE|on|On|ON)\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex True();

    [GeneratedRegex(@"^(no|No|NO|false|False|FALSE|off|Off|OFF)\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex False();

    [GeneratedRegex(@"^[-+]?(0b[01_]*[01][01_]*|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]*[0-9a-fA-F][0-9a-fA-F_]*|[1-9][0-9_]*(:[0-5]?[0-9])+)\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Whole();

    [GeneratedRegex(@"^([-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Real();
}
