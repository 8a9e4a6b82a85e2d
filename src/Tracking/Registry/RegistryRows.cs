namespace Zaffre.Tracking.Registry;

/// <summary>A row of <c>registered_models</c>; instants in Unix milliseconds. <see cref="Id"/> is the key of the resource.</summary>
internal sealed record ModelRow
{
    public const string Columns = "SELECT m.key, m.id, m.name, m.description, m.archived, m.created, m.updated, m.user FROM registered_models m";

    public long Key { get; init; }

    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public string? Description { get; init; }

    public long Archived { get; init; }

    public long Created { get; init; }

    public long Updated { get; init; }

    public string User { get; init; } = "";

    /// <summary>True for a prompt, which is a registered model to MLflow and no model to anybody else.</summary>
    public bool IsPrompt => Id.Contains("/prompts/", StringComparison.Ordinal);
}

/// <summary>A row of <c>model_versions</c> with its model's name; instants in Unix milliseconds.</summary>
internal sealed record VersionRow
{
    public const string Columns =
        "SELECT v.key, v.id, v.model, m.name AS name, v.version, v.stage, v.source, v.uri, v.run, v.run_link AS runLink, v.logged_model AS loggedModel, "
        + "v.description, v.created, v.updated, v.user FROM model_versions v JOIN registered_models m ON m.id = v.model";

    public long Key { get; init; }

    public string Id { get; init; } = "";

    public string Model { get; init; } = "";

    public string Name { get; init; } = "";

    public string Version { get; init; } = "";

    public string Stage { get; init; } = "";

    public string Source { get; init; } = "";

    public string Uri { get; init; } = "";

    public string Run { get; init; } = "";

    public string RunLink { get; init; } = "";

    public string? LoggedModel { get; init; }

    public string? Description { get; init; }

    public long Created { get; init; }

    public long Updated { get; init; }

    public string User { get; init; } = "";

    public bool IsPrompt => Id.Contains("/prompts/", StringComparison.Ordinal);
}

/// <summary>A version with everything that hangs on it.</summary>
internal sealed record VersionDetail(VersionRow Row, IEnumerable<(string Name, string Value)> Tags, IEnumerable<string> Aliases);

/// <summary>A model with everything that hangs on it; <paramref name="Latest"/> is the newest version of each stage.</summary>
internal sealed record ModelDetail(
    ModelRow Row, IEnumerable<(string Name, string Value)> Tags, IEnumerable<(string Alias, string Version)> Aliases, IEnumerable<VersionDetail> Latest);
