using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Zaffre.Recording.Sanitizing;

/// <summary>What is replaced in a JSON body, by where it stands.</summary>
internal sealed partial class JsonRules(TextRules text, Placeholders names)
{
    /// <summary>Finds the ids that the server made up in an answer (runs, models, uploads): they are others in a replay, wherever they appear.</summary>
    public void LearnIds(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject found:
                foreach (var (member, value) in found)
                {
                    if (value is JsonValue scalar && scalar.TryGetValue<string>(out var id) && IdName().IsMatch(member) && MadeUp().IsMatch(id))
                    {
                        text.Id(id);
                    }

                    LearnIds(value);
                }

                break;
            case JsonArray list:
                foreach (var item in list)
                {
                    LearnIds(item);
                }

                break;
        }
    }

    /// <param name="node">The document; it is not changed.</param>
    /// <param name="secrets">Whether every text in it is a secret.</param>
    /// <param name="dates">Whether dates are replaced.</param>
    public JsonNode? Clean(JsonNode? node, bool secrets, bool dates) => node switch
    {
        JsonObject found => Clean(found, secrets, dates),
        JsonArray list => new JsonArray([.. list.Select(item => Clean(item, secrets, dates))]),
        JsonValue value when value.TryGetValue<string>(out var found) => secrets ? SecretOrText(found, dates) : text.Clean(found, dates),
        _ => node?.DeepClone(),
    };

    private JsonObject Clean(JsonObject source, bool secrets, bool dates)
    {
        // A tag, param or variable as {"key": name, "value": text} is judged by its name too.
        var named = source["key"] is JsonValue key && key.TryGetValue<string>(out var name) ? name : source["name"] is JsonValue second && second.TryGetValue<string>(out name) ? name : "";
        var result = new JsonObject();
        foreach (var (member, value) in source)
        {
            var label = member == "value" && named.Length > 0 ? named : member;
            result[text.Clean(member, dates: false)] = value is JsonValue scalar && scalar.TryGetValue<string>(out var found)
                ? Text(label, found, secrets, dates)
                : Clean(value, (secrets || SecretNames.HoldsSecrets(member) || IsParameter(member, value)) && !SecretNames.IsPlain(member), dates);
        }

        return result;
    }

    // A parameter of a template deployment: {"adminPassword": {"value": text}}.
    private static bool IsParameter(string member, JsonNode? value) => SecretNames.IsSecret(member) && value is JsonObject parameter && parameter.ContainsKey("value");

    private string Text(string label, string value, bool secrets, bool dates) => label switch
    {
        _ when SecretNames.IsSecret(label) || (secrets && !SecretNames.IsPlain(label)) => SecretOrText(value, dates),
        _ when label.Equals("etag", StringComparison.OrdinalIgnoreCase) => value.Length == 0 ? value : names.Of("etag", value),
        "accountName" or "storageAccountName" => text.Account(text.Clean(value, dates)),
        _ when SecretNames.IsUser(label) && !Guid.TryParse(value, out _) && value.Length > 0 => names.Of("user", value),
        _ => text.Clean(value, dates),
    };

    [GeneratedRegex("(?:_id|Id|_uuid|Uuid)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex IdName();

    [GeneratedRegex("^(?:[a-z]{1,8}-)?[0-9a-f]{32}(?:-[0-9a-f]{16})?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MadeUp();

    // A signed URL stays a URL; its signature goes by the rules of text.
    private string SecretOrText(string value, bool dates) => value.Contains("sig=", StringComparison.Ordinal) ? text.Clean(value, dates) : text.Secret(value);
}
