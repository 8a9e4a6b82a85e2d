using System.Text.Json;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Writes what runs read and made.</summary>
internal static class InputWriter
{
    /// <summary><c>inputs</c>, which is there when empty, and <c>outputs</c>, which is not.</summary>
    public static void Inputs(this Utf8JsonWriter json, RunInputs inputs)
    {
        json.WriteStartObject("inputs");
        json.Array("dataset_inputs", inputs.Datasets, input => json.DatasetInput(input.Dataset, input.Tags));
        json.Array("model_inputs", inputs.Models, model => json.WriteString("model_id", model));
        json.WriteEndObject();
        if (inputs.Outputs.Any())
        {
            json.WriteStartObject("outputs");
            json.Array(
                "model_outputs",
                inputs.Outputs,
                output =>
                {
                    json.WriteString("model_id", output.Model);
                    json.WriteNumber("step", output.Step);
                });
            json.WriteEndObject();
        }
    }

    /// <summary>A list of objects; absent when empty. <paramref name="members"/> writes what is between the braces.</summary>
    public static void Array<T>(this Utf8JsonWriter json, string member, IEnumerable<T> items, Action<T> members)
    {
        var any = false;
        foreach (var item in items)
        {
            if (!any)
            {
                json.WriteStartArray(member);
                any = true;
            }

            json.WriteStartObject();
            members(item);
            json.WriteEndObject();
        }

        if (any)
        {
            json.WriteEndArray();
        }
    }

    private static void DatasetInput(this Utf8JsonWriter json, DatasetRow dataset, IEnumerable<(string Name, string Value)> tags)
    {
        json.Pairs("tags", tags);
        json.WriteStartObject("dataset");
        json.WriteString("name", dataset.Name);
        json.WriteString("digest", dataset.Digest);
        json.WriteString("source_type", dataset.SourceType);
        json.WriteString("source", dataset.Source);
        if (dataset.Schema is { } schema)
        {
            json.WriteString("schema", schema);
        }

        if (dataset.Profile is { } profile)
        {
            json.WriteString("profile", profile);
        }

        json.WriteEndObject();
    }
}
