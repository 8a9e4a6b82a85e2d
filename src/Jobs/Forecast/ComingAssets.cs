using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Yaml;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Jobs.Forecast;

/// <summary>A PUT of a submission: what it makes, and of what.</summary>
internal sealed record ComingRequest(ArmId Id, JsonObject Body);

/// <summary>
/// The requests of a submission with every placeholder filled, and what there will be once they are sent: looked at in place of what is stored.
/// </summary>
internal sealed class ComingAssets : IPendingAssets
{
    private const string Store = "azureml://datastores/" + BuiltInDatastores.Blob + "/paths/";

    private readonly YamlReading reading;
    private readonly BlobLocation store;
    private readonly Dictionary<string, LocalContent> places = new(StringComparer.Ordinal);

    public ComingAssets(YamlReading reading, IReadOnlyDictionary<string, LocalContent> contents, BlobLocation store)
    {
        (this.reading, this.store) = (reading, store);
        var texts = new List<(string Placeholder, string Text)>();
        foreach (var upload in reading.Uploads)
        {
            var content = contents[upload["placeholder"]!.GetValue<string>()];
            places[Store + content.Folder] = content;
            texts.Add((upload["placeholder"]!.GetValue<string>(), Store + content.Folder));
            texts.Add((upload["hashPlaceholder"]!.GetValue<string>(), content.Hash));
        }

        // The longest first, as a client fills them: none is the start of another.
        texts.Sort((one, other) => other.Placeholder.Length - one.Placeholder.Length);
        string Fill(string text) => texts.Aggregate(text, (filled, pair) => filled.Replace(pair.Placeholder, pair.Text, StringComparison.Ordinal));
        Requests = [.. reading.Requests.Select(request => new ComingRequest(new ArmId(Fill(request["path"]!.GetValue<string>()).Split('?')[0]), (JsonObject)Filled(request["body"]!, Fill)!))];
    }

    /// <summary>In order; the last one is the job.</summary>
    public IReadOnlyList<ComingRequest> Requests { get; }

    /// <summary>Where each upload will lie.</summary>
    public static BlobAddress AddressOf(LocalContent content, BlobLocation store) => new(store.Account, store.Container, content.Folder);

    /// <inheritdoc/>
    public AssetVersion? Find(AssetType type, string reference)
    {
        var plain = reference.StartsWith("azureml:/", StringComparison.OrdinalIgnoreCase) ? reference["azureml:".Length..] : reference;
        if (!plain.StartsWith(reading.Workspace.Id.Value + "/", StringComparison.OrdinalIgnoreCase) || Requests.LastOrDefault(request => request.Id == new ArmId(plain)) is not { } made)
        {
            return null;
        }

        return new AssetVersion(type, made.Id.Parent.Name, made.Id.Name, Coming.Of(made.Id, made.Body, reading.Caller));
    }

    /// <inheritdoc/>
    public ResolvedUri? Place(string uri)
    {
        if (!places.TryGetValue(uri.TrimEnd('/'), out var content))
        {
            return null;
        }

        var address = AddressOf(content, store);
        return new ResolvedUri
        {
            Uri = uri,
            Blob = new BlobLocation(address.Account, address.Container, address.Name),
            Shape = content.IsFolder ? UriShape.Folder : UriShape.File,
            DatastoreUri = uri,
            LongDatastoreUri = null,
        };
    }

    private static JsonNode? Filled(JsonNode? node, Func<string, string> fill) => node switch
    {
        JsonObject map => new JsonObject(map.Select(pair => KeyValuePair.Create(fill(pair.Key), Filled(pair.Value, fill)))),
        JsonArray list => new JsonArray([.. list.Select(item => Filled(item, fill))]),
        JsonValue value when value.TryGetValue<string>(out var text) => JsonValue.Create(fill(text)),
        _ => node?.DeepClone(),
    };
}
