using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Zaffre.Gateway.Onnx;
using Zaffre.Gateway.Scoring;

namespace Zaffre.Gateway.Inference;

/// <summary>One inference request of the protocol: JSON, with tensors in it or as bytes after it.</summary>
internal sealed class InferCall(HttpRequest request, string name, string? version) : OnnxCall
{
    private const string LengthHeader = "Inference-Header-Content-Length";
    private readonly List<(int Output, bool? Binary)> wanted = [];
    private string? id;
    private bool binaryByDefault;
    private int headLength = -1;

    public override (OnnxModel? Model, ScoringError? Refusal) Choose(OnnxServing serving) =>
        serving.Find(name, version) is { } found ? (found, null) : (null, ScoringError.NoModel(name, version));

    public override void Read(ReadOnlySpan<byte> body, OnnxSlot slot)
    {
        var head = body;
        ReadOnlySpan<byte> rest = default;
        if (request.Headers[LengthHeader] is [{ } told])
        {
            if (!int.TryParse(told, NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > body.Length)
            {
                throw new InputException($"{LengthHeader} must be the length of the JSON at the start of the body, at most {body.Length}.");
            }

            head = body[..length];
            rest = body[length..];
        }

        try
        {
            ReadHead(head, ref rest, slot);
        }
        catch (JsonException e)
        {
            throw new InputException($"The request is not valid JSON: {e.Message}");
        }
        catch (OverflowException)
        {
            throw new InputException("The 'shape' of an input has more elements than can be counted.");
        }

        if (!rest.IsEmpty)
        {
            throw new InputException($"{rest.Length} bytes follow the tensors that the request announces.");
        }

        Fitting.Check(slot, table: false);
    }

    public override void Write(OnnxSlot slot)
    {
        if (wanted.Count == 0)
        {
            wanted.AddRange(Enumerable.Range(0, slot.Model.Outputs.Count).Where(i => slot.Model.Outputs[i].Kind == ValueKind.Tensor).Select(i => (i, (bool?)null)));
        }

        List<(int Output, bool Binary)> settled = [.. wanted.Select(w => (w.Output, w.Binary ?? binaryByDefault))];
        InferAnswer.Write(slot, settled, id);
        if (settled.Exists(w => w.Binary))
        {
            headLength = slot.Bytes.WrittenCount;
            foreach (var (output, _) in settled.Where(w => w.Binary))
            {
                InferAnswer.WriteBytes(slot, output);
            }
        }
    }

    public override void Stamp(HttpResponse response)
    {
        response.ContentType = headLength < 0 ? "application/json" : "application/octet-stream";
        if (headLength >= 0)
        {
            response.Headers[LengthHeader] = headLength.ToString(CultureInfo.InvariantCulture);
        }
    }

    public override void WriteRefusal(Utf8JsonWriter json, OnnxModel model, string message)
    {
        json.WriteStartObject();
        json.WriteString("error"u8, message);
        json.WriteEndObject();
    }

    private void ReadHead(ReadOnlySpan<byte> head, scoped ref ReadOnlySpan<byte> rest, OnnxSlot slot)
    {
        var reader = new Utf8JsonReader(head);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InputException("The request must be a JSON object with 'inputs'.");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("inputs"u8))
            {
                Each(ref reader, "inputs");
                while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                {
                    InferInput.Read(ref reader, ref rest, slot);
                }
            }
            else if (reader.ValueTextEquals("outputs"u8))
            {
                Each(ref reader, "outputs");
                while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                {
                    ReadOutput(ref reader, slot.Model);
                }
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                reader.Read();
                id = reader.TokenType == JsonTokenType.String ? reader.GetString() : throw new InputException("'id' must be a string.");
            }
            else if (reader.ValueTextEquals("parameters"u8))
            {
                reader.Read();
                InferParameters.Read(ref reader, out _, out binaryByDefault);
            }
            else
            {
                reader.Skip();
            }
        }

        reader.Read();
    }

    private void ReadOutput(ref Utf8JsonReader reader, OnnxModel model)
    {
        string? output = null;
        bool? binary = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("name"u8))
            {
                reader.Read();
                output = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            }
            else if (reader.ValueTextEquals("parameters"u8))
            {
                reader.Read();
                binary = InferParameters.Read(ref reader, out _, out _);
            }
            else
            {
                reader.Skip();
            }
        }

        var index = model.Outputs.Index().FirstOrDefault(o => o.Item.Name == output, (-1, null!)).Index;
        wanted.Add(index >= 0 && model.Outputs[index].Kind == ValueKind.Tensor
            ? (index, binary)
            : throw new InputException(index < 0
                ? $"model '{model.Name}' has no output '{output}'; it has {string.Join(", ", model.Outputs.Select(o => o.Name))}."
                : $"output '{output}' of model '{model.Name}' is a {model.Outputs[index].Kind}, which the protocol has no form for; /score answers it."));
    }

    private static void Each(ref Utf8JsonReader reader, string member)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new InputException($"'{member}' must be a list of objects.");
        }
    }
}
