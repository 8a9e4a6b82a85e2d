using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Search;
using Zaffre.Web;

namespace Zaffre.Tracking.Registry;

/// <summary>Where the searches of the registry look. Archived models and versions are found by name only.</summary>
internal static class RegistrySearch
{
    /// <summary>The tag that makes a registered model a prompt.</summary>
    public const string PromptTag = "mlflow.prompt.is_prompt";

    private const string OfPrompt = "(m.id GLOB '*/prompts/*')";

    /// <summary>Models are <c>m</c>.</summary>
    public static SearchTables ModelTables { get; } = new(
        "m.key",
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["name"] = "m.name COLLATE BINARY",
            ["creation_timestamp"] = "m.created",
            ["last_updated_timestamp"] = "m.updated",
        },
        "registered_model_tags",
        "model")
    {
        From = "registered_models m",
        Order = [("name", false)],
    };

    /// <summary>Versions are <c>v</c>, their model is <c>m</c>.</summary>
    public static SearchTables VersionTables { get; } = new(
        "v.key",
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["name"] = "m.name COLLATE BINARY",
            ["source_path"] = "v.source",
            ["run_id"] = "v.run",
            ["version_number"] = "v.number",
            ["version"] = "v.version",
            ["creation_timestamp"] = "v.created",
            ["last_updated_timestamp"] = "v.updated",
        },
        "model_version_tags",
        "version")
    {
        From = "model_versions v JOIN registered_models m ON m.id = v.model",
        Order = [("last_updated_timestamp", true), ("name", false), ("version_number", true), ("version", false)],
        Nullable = new HashSet<string>(StringComparer.Ordinal) { "version_number" },
    };

    /// <summary>
    /// The search of one workspace. Prompts come only when the filter asks for them; any other word about their tag means
    /// "no prompts", with models that lack the tag.
    /// </summary>
    public static (SearchQuery Query, SearchSql Sql) In(WorkspaceRef workspace, SearchQuery query)
    {
        var sql = new SearchSql(query.Tables);
        sql.Parameters.Add("workspace", workspace.Id.Key);
        sql.And("m.workspace = @workspace AND m.archived = 0");
        if (ReferenceEquals(query.Tables, VersionTables))
        {
            sql.And("v.archived = 0");
        }

        var aboutPrompts = query.Filter.Where(term => term is { Entity: FilterEntity.Tag, Key: PromptTag }).ToList();
        var wanted = aboutPrompts.Any(term => term is { Operator: FilterOperator.Equal, Text: "true" } or { Operator: FilterOperator.NotEqual, Text: "false" });
        sql.And(wanted ? OfPrompt : "NOT " + OfPrompt);
        return (query with { Filter = [.. query.Filter.Except(aboutPrompts)] }, sql);
    }
}
