using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Registry;

namespace Zaffre.Tracking.Import;

/// <summary>Who made a thing of the registry, and when it was made and changed, in Unix milliseconds.</summary>
internal sealed record ImportDates(string? User, long? Created, long? Updated)
{
    private const int LongestUser = 256;

    public static ImportDates Read(ImportRecord record) => new(record.Text("user", LongestUser), record.Time("created"), record.Time("updated"));

    /// <summary>Says it on the resource; what the source does not know stays.</summary>
    public void Set(ImportUnit unit, Web.ArmId id, bool made)
    {
        var now = unit.Call.Stores.Resources.Find(unit.Scope, id)!;
        var created = made && (User is not null || Created is not null) ? (User ?? now.CreatedBy, Created is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : now.CreatedAt) : ((string, DateTimeOffset)?)null;
        unit.Call.Stores.Resources.Date(unit.Scope, id, created, (Updated ?? Created) is { } changed ? DateTimeOffset.FromUnixTimeMilliseconds(changed) : now.LastModifiedAt);
    }
}

/// <summary>A registered model, or a prompt, known by its name. One that is there already is joined.</summary>
internal sealed class ImportModel(string name, string? description, IReadOnlyList<(string Name, string Value)> tags, ImportDates dates) : ImportItem
{
    public const string Word = "registered_model";

    public override string Kind => Word;

    public override string Name => name;

    public override int Weight => 2 + tags.Count;

    private bool IsPrompt => tags.Any(tag => tag is (RegistrySearch.PromptTag, "true"));

    public static ImportItem Read(ImportRecord record) =>
        new ImportModel(record.Required("name", ImportRules.Model), record.Text("description"), record.Pairs("tags"), ImportDates.Read(record));

    public override void Apply(ImportUnit unit)
    {
        var (scope, stores) = (unit.Scope, unit.Call.Stores);
        var found = RegistryStore.Find(scope, unit.Call.Workspace, name);
        if (found is not null && found.IsPrompt != IsPrompt)
        {
            throw new ImportRefusal("NameTaken", $"'{name}' is a {(found.IsPrompt ? "prompt" : "model")} here and a {(IsPrompt ? "prompt" : "model")} in the source; they share their names.");
        }

        var id = unit.Call.Workspace.Child(IsPrompt ? "prompts" : "models", found?.Name ?? name);
        var before = stores.Resources.Find(scope, id)?.Document;
        var document = before?.Copy() ?? new JsonObject { ["properties"] = new JsonObject { ["isArchived"] = false } };
        document.Remove("anonymousOnly");
        var properties = document.Object("properties")!;
        properties["description"] = description ?? properties.Text("description") ?? "";
        properties["nextVersion"] ??= "1";
        Merge(properties, tags);
        if (before is null || !JsonNode.DeepEquals(before, document))
        {
            stores.Resources.Put(scope, id, document, unit.Call.Caller);
        }

        dates.Set(unit, id, made: found is null);
        if (found is null)
        {
            unit.Made(Word);
        }
    }

    /// <summary>Adds tags to those that a document has.</summary>
    public static void Merge(JsonObject properties, IReadOnlyList<(string Name, string Value)> tags)
    {
        foreach (var (key, value) in tags)
        {
            RegistryAccess.Tags(properties)[key] = value;
        }
    }
}
