using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Registry;
using Zaffre.Web;

namespace Zaffre.Tracking.Import;

/// <summary>
/// A version of a registered model, with its own number. Its files are those of a run (<c>runs:/RUN/PATH</c>), of a logged model (<c>models:/m-ID</c>), or
/// whatever is sent as the files of the version.
/// </summary>
internal sealed class ImportVersion(string model, string version, string source, ImportDates dates) : ImportItem
{
    public const string Word = "model_version";

    private const int LongestSource = 4000;

    public override string Kind => Word;

    public override string Name => $"{model}/{version}";

    public override int Weight => 4 + Tags.Count + Aliases.Count;

    private IReadOnlyList<(string Name, string Value)> Tags { get; init; } = [];

    private IReadOnlyList<string> Aliases { get; init; } = [];

    private string? Description { get; init; }

    private string? Stage { get; init; }

    private string Run { get; init; } = "";

    private string RunLink { get; init; } = "";

    private string? LoggedModel { get; init; }

    private bool IsMlflow { get; init; }

    public static ImportItem Read(ImportRecord record)
    {
        var number = record.Whole("version");
        if (number is null or < 1)
        {
            record.Fault("version", "it must be a number of at least 1.");
        }

        var source = record.Text("source", LongestSource) ?? "";
        return new ImportVersion(record.Required("name", ImportRules.Model), (number ?? 0).ToString(CultureInfo.InvariantCulture), source, ImportDates.Read(record))
        {
            Tags = record.Pairs("tags"),
            Aliases = [.. record.Texts("aliases").Where(alias => Checked(record, "aliases", alias, RegistryLimits.AliasName))],
            Description = record.Text("description"),
            Stage = record.Text("stage") is { Length: > 0 } stage && Checked(record, "stage", stage, RegistryLimits.Stage) ? RegistryLimits.Stage(stage) : null,
            Run = record.Text("run", ImportRecord.LongestId) ?? "",
            RunLink = record.Text("run_link", LongestSource) ?? "",
            LoggedModel = (record.Text("model_id", ImportRecord.LongestId) is { Length: > 0 } id ? id : null) ?? ModelSources.LoggedModel(source),
            IsMlflow = record.Flag("mlflow"),
        };
    }

    /// <summary>Where the files of a version lie that are no run's and no logged model's.</summary>
    public static string Prefix(string model, string version) => $"ImportedModel/{model}/{version}";

    public override void Apply(ImportUnit unit)
    {
        var (scope, stores) = (unit.Scope, unit.Call.Stores);
        var owner = RegistryStore.Find(scope, unit.Call.Workspace, model) ?? throw unit.Missing("ModelNotFound", $"There is no registered model '{model}'; send it before its versions.");
        var container = unit.Call.Workspace.Child(owner.IsPrompt ? "prompts" : "models", owner.Name);
        var id = container.Child("versions", version);
        var before = stores.Resources.Find(scope, id);
        var uri = owner.IsPrompt ? source : Place(unit, owner.Name);
        if (before is null)
        {
            var changed = stores.Resources.Find(scope, container)!.LastModifiedAt;
            id = Create(unit, owner, container, uri);
            stores.Resources.Date(scope, container, null, changed);
            unit.Made(Word);
        }
        else if (!owner.IsPrompt && before.Properties.Text("modelUri")?.TrimEnd('/') != uri)
        {
            throw new ImportRefusal("ModelVersionExists", $"The model '{model}' has a version {version} here with other files ({before.Properties.Text("modelUri")}); versions do not change.");
        }
        else
        {
            Change(unit, id, before.Document);
        }

        RegistryStore.SetOrigin(scope, id, source, RunLink, LoggedModel);
        dates.Set(unit, id, made: before is null);
        foreach (var alias in Aliases)
        {
            RegistryStore.SetAlias(scope, owner, alias, version);
        }
    }

    private ArmId Create(ImportUnit unit, ModelRow owner, ArmId container, string uri)
    {
        var properties = new JsonObject { ["modelUri"] = uri };
        Describe(properties);
        if (!owner.IsPrompt)
        {
            properties["modelType"] = IsMlflow ? "mlflow_model" : "custom_model";
            return unit.Call.Stores.Assets.Register(unit.Scope, unit.Call.Workspace, new NewAsset(AssetType.Model, owner.Name, version, properties), unit.Call.Caller);
        }

        var resources = unit.Call.Stores.Resources;
        var document = resources.Find(unit.Scope, container)!.Document.Copy();
        var (number, inner) = (long.Parse(version, CultureInfo.InvariantCulture), document.Object("properties")!);
        if (number >= long.Parse(inner.Text("nextVersion") ?? "1", CultureInfo.InvariantCulture))
        {
            inner["nextVersion"] = $"{number + 1}";
            resources.Put(unit.Scope, container, document, unit.Call.Caller);
        }

        return resources.Put(unit.Scope, container.Child("versions", version), new JsonObject { ["properties"] = properties }, unit.Call.Caller).Id;
    }

    private void Change(ImportUnit unit, ArmId id, JsonObject before)
    {
        var document = before.Copy();
        Describe(document.Object("properties")!);
        if (!JsonNode.DeepEquals(before, document))
        {
            unit.Call.Stores.Resources.Put(unit.Scope, id, document, unit.Call.Caller);
        }
    }

    private void Describe(JsonObject properties)
    {
        if (Description is not null)
        {
            properties["description"] = Description;
        }

        if (Stage is not null && (Stage != RegistryIndex.NoStage || properties["stage"] is not null))
        {
            properties["stage"] = Stage;
        }

        if (Run.Length > 0)
        {
            properties["jobName"] = Run;
        }

        ImportModel.Merge(properties, Tags);
    }

    /// <summary>The place of the files as a datastore URI. A source leads to nothing but runs and logged models of this workspace.</summary>
    private string Place(ImportUnit unit, string name)
    {
        const string Root = $"azureml://datastores/{RunArtifacts.Datastore}/paths/";
        if (source.StartsWith("runs:/", StringComparison.Ordinal))
        {
            var parts = source["runs:/".Length..].Trim('/').Split('/', 2);
            return Root + RunArtifacts.Prefix(unit.Run(parts[0]).Id) + Below(parts);
        }

        if (ModelSources.LoggedModel(source) is { } logged)
        {
            var parts = source["models:/".Length..].Trim('/').Split('/', 2);
            var found = ImportStore.FindModel(unit.Scope, unit.Call.Key, logged) ?? throw unit.Missing("LoggedModelNotFound", $"There is no logged model '{logged}'; send it before the versions made of it.");
            return Root + found.Prefix + Below(parts);
        }

        return Root + Prefix(name, version);
    }

    private static string Below(string[] parts)
    {
        try
        {
            return parts.Length > 1 && parts[1].Length > 0 ? "/" + ArtifactPath.Check(parts[1]) : "";
        }
        catch (MlflowException)
        {
            throw new ImportRefusal("InvalidPath", $"The source leads out of its folder: '{parts[1]}'.");
        }
    }

    private static bool Checked(ImportRecord record, string member, string value, Func<string, string> rule)
    {
        try
        {
            rule(value);
            return true;
        }
        catch (MlflowException wrong)
        {
            record.Fault(member, wrong.Message);
            return false;
        }
    }
}
