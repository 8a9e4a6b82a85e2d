using System.Globalization;
using System.Security;
using System.Text;

namespace Zaffre.WireGen;

/// <summary>Writes one model as a record, with its converter when the wire tells its kinds apart by a discriminator.</summary>
internal sealed class RecordWriter(ModelSpec spec, string name, bool isParent, StringBuilder text)
{
    private readonly Model model = spec.Models[name];
    private readonly string type = TypeNames.Class(name);

    public void Write()
    {
        var kind = model.Discriminator is not null ? "abstract record" : isParent ? "record" : "sealed record";
        Documentation("", model.Caution is null ? $"The wire's <c>{name}</c>." : $"The wire's <c>{name}</c> ({Escape(model.Caution)}).");
        if (model.Discriminator is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"[JsonConverter(typeof({type}Converter))]\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"public {kind} {type}{(model.Base is null ? "" : " : " + TypeNames.Class(model.Base))}\n{{\n");
        var blank = Constructor();
        blank = Members(blank);
        Unknown(blank);
        text.Append("}\n");
        Kinds();
    }

    private bool Constructor()
    {
        if (model.DiscriminatorValue is null)
        {
            return false;
        }

        var member = spec.Models[model.Base!].Discriminator!.Property;
        text.Append(CultureInfo.InvariantCulture, $"    public {type}() => {TypeNames.Member(member, TypeNames.Class(model.Base!))} = \"{model.DiscriminatorValue}\";\n");
        return true;
    }

    private bool Members(bool blank)
    {
        var inherited = spec.InheritedNames(model);
        foreach (var property in model.Properties.Where(property => property.InheritedFrom is null && !inherited.Contains(property.SerializedName)))
        {
            text.Append(blank ? "\n" : "");
            Documentation("    ", Describe(property));
            text.Append(CultureInfo.InvariantCulture, $"    [JsonPropertyName(\"{property.SerializedName}\")]\n");
            text.Append(CultureInfo.InvariantCulture, $"    public {TypeNames.CSharp(property.Type)}? {TypeNames.Member(property.SerializedName, type)} {{ get; init; }}\n");
            blank = true;
        }

        return blank;
    }

    private void Unknown(bool blank)
    {
        if (model.Base is null)
        {
            text.Append(blank ? "\n" : "");
            Documentation("    ", "Members that this version of the contract does not know; they are kept.");
            text.Append("    [JsonExtensionData]\n    public IDictionary<string, JsonElement>? Unknown { get; init; }\n");
        }
    }

    private void Kinds()
    {
        if (model.Discriminator is not { } discriminator)
        {
            return;
        }

        Documentation("", $"A <c>{name}</c> of a kind that this version of the contract does not know.");
        text.Append(CultureInfo.InvariantCulture, $"public sealed record Unknown{type} : {type};\n");
        text.Append(CultureInfo.InvariantCulture, $"\ninternal sealed class {type}Converter() : PolymorphicConverter<{type}>(\"{discriminator.Property}\", typeof(Unknown{type}), new(StringComparer.OrdinalIgnoreCase)\n{{\n");
        foreach (var (value, target) in discriminator.Mapping)
        {
            text.Append(CultureInfo.InvariantCulture, $"    [\"{value}\"] = typeof({TypeNames.Class(target)}),\n");
        }

        text.Append("});\n");
    }

    private static string Describe(Property property)
    {
        var facts = new List<string>();
        if (property.Enum is not null)
        {
            facts.Add($"A value of <see cref=\"Values.{property.Enum}\"/>.");
        }
        else if (property.Type is "datetime" or "duration (ISO 8601)")
        {
            facts.Add(property.Type == "datetime" ? "RFC 3339 date and time." : "ISO 8601 duration.");
        }

        facts.Add(property switch
        {
            { ReadOnly: true } => "Set by the server.",
            { Required: true } => "Required.",
            _ => "",
        });
        facts.Add(property.Mutability is null ? "" : $"May: {string.Join(", ", property.Mutability)}.");
        facts.AddRange(property.Constraints?
            .Where(pair => pair.Key != "from")
            .Select(pair => $"{pair.Key}: <c>{Escape(pair.Value.ToString())}</c>.") ?? []);
        var said = string.Join(' ', facts.Where(fact => fact.Length > 0));
        return said.Length > 0 ? said : "Optional.";
    }

    private static string Escape(string value) => SecurityElement.Escape(value)!;

    private void Documentation(string indent, string summary) =>
        text.Append(CultureInfo.InvariantCulture, $"{(indent.Length == 0 ? "\n" : "")}{indent}/// <summary>{summary}</summary>\n");
}
