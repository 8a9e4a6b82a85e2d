using System.Text.Json;
using Zaffre.Tracking.Registry;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Writes the messages of the model registry.</summary>
internal static class RegistryWriter
{
    public static void RegisteredModel(this Utf8JsonWriter json, ModelDetail model)
    {
        json.WriteStartObject();
        json.WriteString("name", model.Row.Name);
        json.WriteNumber("creation_timestamp", model.Row.Created);
        json.WriteNumber("last_updated_timestamp", model.Row.Updated);
        json.WriteString("user_id", model.Row.User);
        json.WriteString("description", model.Row.Description ?? "");
        json.ModelVersions("latest_versions", model.Latest);
        json.Pairs("tags", model.Tags);
        if (model.Aliases.Any())
        {
            json.WriteStartArray("aliases");
            foreach (var (alias, version) in model.Aliases)
            {
                json.WriteStartObject();
                json.WriteString("alias", alias);
                json.WriteString("version", version);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    public static void ModelVersions(this Utf8JsonWriter json, string member, IEnumerable<VersionDetail> versions)
    {
        if (!versions.Any())
        {
            return;
        }

        json.WriteStartArray(member);
        foreach (var version in versions)
        {
            json.ModelVersion(version);
        }

        json.WriteEndArray();
    }

    public static void ModelVersion(this Utf8JsonWriter json, VersionDetail version)
    {
        var row = version.Row;
        json.WriteStartObject();
        json.WriteString("name", row.Name);
        json.WriteString("version", row.Version);
        json.WriteNumber("creation_timestamp", row.Created);
        json.WriteNumber("last_updated_timestamp", row.Updated);
        json.WriteString("user_id", row.User);
        json.WriteString("current_stage", row.Stage);
        json.WriteString("description", row.Description ?? "");
        json.WriteString("source", row.Source);
        json.WriteString("run_id", row.Run);
        json.WriteString("status", "READY");
        json.Pairs("tags", version.Tags);
        json.WriteString("run_link", row.RunLink);
        if (version.Aliases.Any())
        {
            json.WriteStartArray("aliases");
            foreach (var alias in version.Aliases)
            {
                json.WriteStringValue(alias);
            }

            json.WriteEndArray();
        }

        if (row.LoggedModel is { } model)
        {
            json.WriteString("model_id", model);
        }

        json.WriteEndObject();
    }
}
