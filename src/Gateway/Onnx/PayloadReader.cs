using System.Text;
using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>
/// Reads the JSON bodies of <c>/score</c> and <c>/invocations</c> into a model's inputs: Azure's <c>input_data</c> and MLflow's own forms.
/// One pass, no document in between. Throws <see cref="InputException"/>.
/// </summary>
internal static class PayloadReader
{
    private const string FormNames = "input_data, dataframe_split, dataframe_records, instances, inputs";

    private enum Form
    {
        None,
        InputData,
        Split,
        Records,
        Instances,
        Inputs,
    }

    public static void Read(ReadOnlySpan<byte> body, OnnxSlot slot)
    {
        try
        {
            ReadBody(body.StartsWith("\uFEFF"u8) ? body[3..] : body, slot);
        }
        catch (JsonException e)
        {
            throw new InputException($"The body is not valid JSON: {e.Message.TrimEnd('.')}. What is no number is null, or \"NaN\", \"Infinity\", \"-Infinity\".");
        }
    }

    private static void ReadBody(ReadOnlySpan<byte> body, OnnxSlot slot)
    {
        var reader = new Utf8JsonReader(body);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InputException($"The body must be a JSON object with one of {FormNames}.");
        }

        var found = Form.None;
        List<string>? others = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var form = Match(ref reader);
            if (form == Form.None)
            {
                (others ??= []).Add(reader.GetString()!);
                reader.Skip();
                continue;
            }

            if (found != Form.None)
            {
                throw new InputException($"The body must have exactly one of {FormNames}; it has several.");
            }

            found = form;
            reader.Read();
            ReadForm(ref reader, form, slot);
        }

        reader.Read();
        if (found == Form.None)
        {
            throw new InputException($"The body must have exactly one of {FormNames}; it has only {(others is null ? "nothing" : string.Join(", ", others.Take(10)))}.");
        }
    }

    private static Form Match(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("input_data"u8) ? Form.InputData
        : reader.ValueTextEquals("dataframe_split"u8) ? Form.Split
        : reader.ValueTextEquals("dataframe_records"u8) ? Form.Records
        : reader.ValueTextEquals("instances"u8) ? Form.Instances
        : reader.ValueTextEquals("inputs"u8) ? Form.Inputs
        : Form.None;

    private static void ReadForm(ref Utf8JsonReader reader, Form form, OnnxSlot slot)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject when form == Form.Split || (form == Form.InputData && LooksSplit(reader)):
                ReadSplit(ref reader, slot);
                break;
            case JsonTokenType.StartObject when form is Form.InputData or Form.Inputs:
                NamedReader.Read(ref reader, slot);
                break;
            case JsonTokenType.StartArray when form != Form.Split && HoldsObjects(reader):
                RecordReader.Read(ref reader, slot);
                break;
            case JsonTokenType.StartArray when form is Form.InputData or Form.Inputs or Form.Instances:
                Single(slot);
                TableReader.Read(ref reader, slot, sent: null, table: form != Form.Inputs);
                break;
            case not (JsonTokenType.StartArray or JsonTokenType.StartObject) when form is Form.InputData or Form.Inputs:
                Single(slot);
                NestedReader.Read(ref reader, slot.Inputs[0], slot.Model.Inputs[0].Name);
                Fitting.Check(slot, table: false);
                break;
            default:
                throw new InputException(form switch
                {
                    Form.Split => "'dataframe_split' must be an object with 'columns' and 'data' (a list of rows).",
                    Form.Records => "'dataframe_records' must be a list of objects.",
                    _ => "'instances' must be a list of rows or of objects.",
                });
        }
    }

    private static void Single(OnnxSlot slot)
    {
        if (slot.Model.Inputs.Count != 1)
        {
            throw new InputException($"The model takes the tensors {string.Join(", ", slot.Model.Inputs.Select(i => $"'{i.Name}'"))} by name: send an object with these members.");
        }
    }

    private static bool HoldsObjects(Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.StartObject;

    private static bool LooksSplit(Utf8JsonReader reader)
    {
        var data = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("data"u8))
            {
                data = true;
            }
            else if (!reader.ValueTextEquals("columns"u8) && !reader.ValueTextEquals("index"u8))
            {
                return false;
            }

            reader.Skip();
        }

        return data;
    }

    // Rows that come before the names of their columns are passed over and read afterwards.
    private static void ReadSplit(ref Utf8JsonReader reader, OnnxSlot slot)
    {
        Utf8JsonReader rows = default;
        var (passed, read) = (false, false);
        int? sent = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("columns"u8))
            {
                reader.Read();
                sent = reader.TokenType == JsonTokenType.Null ? null : ColumnNames.Read(ref reader, slot);
            }
            else if (reader.ValueTextEquals("data"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.StartArray)
                {
                    throw new InputException("'data' must be a list of rows.");
                }

                if (sent is not null)
                {
                    TableReader.Read(ref reader, slot, sent, table: true);
                    read = true;
                    continue;
                }

                rows = reader;
                passed = true;
                reader.Skip();
            }
            else
            {
                reader.Skip();
            }
        }

        if (passed)
        {
            TableReader.Read(ref rows, slot, sent, table: true);
        }
        else if (!read)
        {
            throw new InputException("A split table must have 'columns' and 'data' (a list of rows).");
        }
    }

    /// <summary>Text of a name for messages.</summary>
    public static string Told(ReadOnlySpan<byte> name) => $"'{Encoding.UTF8.GetString(name)}'";
}
