using System.Text.Json;
using System.Text.Json.Nodes;

namespace Zaffre.Tracking.Tables;

/// <summary>
/// The documents of azureml-core's <c>log_confusion_matrix</c>, <c>log_accuracy_table</c>, <c>log_predictions</c> and <c>log_residuals</c>:
/// <c>{"schema_type": ..., "schema_version": ..., "data": {...}}</c>.
/// </summary>
internal static class AzureTables
{
    private const string Format = "azureml";
    private static readonly string[] Outcomes = ["truePositives", "falsePositives", "trueNegatives", "falseNegatives"];

    /// <summary>The table of a schema; null for one that is not known.</summary>
    public static Table? Of(string schema, JsonElement data, TablePlace place) => schema switch
    {
        "confusion_matrix" => ConfusionMatrix(data, place),
        "accuracy_table" => AccuracyTable(data, place),
        "predictions" => Bins(data, place) with { Kind = "predictions" },
        "residuals" => Bins(data, place) with { Kind = "residuals" },
        _ => null,
    };

    /// <summary>Rows are the true classes, columns the predicted ones.</summary>
    private static Table ConfusionMatrix(JsonElement data, TablePlace place)
    {
        var labels = List(data, "class_labels").Select(JsonTables.Name).ToList();
        var matrix = List(data, "matrix");
        if (matrix.Length != labels.Count || !Array.TrueForAll(matrix, row => row.ValueKind == JsonValueKind.Array && row.GetArrayLength() == labels.Count && row.EnumerateArray().All(IsNumber)))
        {
            throw new BrokenTableException(0, $"A confusion matrix of {labels.Count} classes has {labels.Count} rows of {labels.Count} numbers.");
        }

        var rows = matrix.Select((row, i) => (IReadOnlyList<JsonElement>)[Text(labels[i]), .. row.EnumerateArray()]).ToList();
        return JsonTables.Page(Format, ["actual", .. labels], rows, place) with
        {
            Kind = "confusionMatrix",
            More = new JsonObject { ["labels"] = new JsonArray([.. labels.Select(label => (JsonNode)label)]), ["matrix"] = JsonArray.Create(data.GetProperty("matrix").Clone()) },
        };
    }

    /// <summary>For each class and threshold of probability: how many were told right and wrong.</summary>
    private static Table AccuracyTable(JsonElement data, TablePlace place)
    {
        var labels = List(data, "class_labels").Select(JsonTables.Name).ToList();
        var thresholds = List(data, "probability_thresholds");
        var tables = List(data, "probability_tables");
        var rows = new List<IReadOnlyList<JsonElement>>();
        for (var label = 0; label < tables.Length; label++)
        {
            if (label >= labels.Count || tables[label].ValueKind != JsonValueKind.Array || tables[label].GetArrayLength() != thresholds.Length)
            {
                throw new BrokenTableException(0, "An accuracy table has a table for each class, with a row for each threshold.");
            }

            rows.AddRange(tables[label].EnumerateArray().Select((row, i) => row.ValueKind == JsonValueKind.Array && row.GetArrayLength() == Outcomes.Length
                ? (IReadOnlyList<JsonElement>)[Text(labels[label]), thresholds[i], .. row.EnumerateArray()]
                : throw new BrokenTableException(0, "A row of an accuracy table has four numbers.")));
        }

        return JsonTables.Page(Format, ["class", "threshold", .. Outcomes], rows, place) with { Kind = "accuracyTable" };
    }

    /// <summary>Lists of numbers by bins; of n bins there are n+1 edges.</summary>
    private static Table Bins(JsonElement data, TablePlace place)
    {
        var lists = data.EnumerateObject().Where(member => member.Value.ValueKind == JsonValueKind.Array).ToList();
        var height = lists.Count == 0 ? 0 : lists.Max(list => list.Value.GetArrayLength());
        var columns = lists.ConvertAll(list => JsonTables.Padded([.. list.Value.EnumerateArray()], height));
        return JsonTables.Page(Format, lists.ConvertAll(list => list.Name), [.. Enumerable.Range(0, height).Select(row => columns.ConvertAll(column => column[row]))], place);
    }

    private static JsonElement[] List(JsonElement data, string name) => data.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
        ? [.. list.EnumerateArray()]
        : throw new BrokenTableException(0, $"The list '{name}' is missing.");

    private static bool IsNumber(JsonElement value) => value.ValueKind == JsonValueKind.Number || (value.ValueKind == JsonValueKind.String && value.GetString() is "NaN" or "Infinity" or "-Infinity");

    private static JsonElement Text(string text) => JsonSerializer.SerializeToElement(text, TrackingJson.Default.String);
}
