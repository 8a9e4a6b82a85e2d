using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Zaffre.Gateway.Scoring;

namespace Zaffre.Gateway.Onnx;

/// <summary>One way of asking a model: which one is meant, how the body is read, how the answer and a refusal are written.</summary>
internal abstract class OnnxCall
{
    /// <summary>The model that is asked, or why there is none.</summary>
    public abstract (OnnxModel? Model, ScoringError? Refusal) Choose(OnnxServing serving);

    /// <summary>Reads the body into the slot's inputs; throws <see cref="InputException"/>.</summary>
    public abstract void Read(ReadOnlySpan<byte> body, OnnxSlot slot);

    /// <summary>Writes the outputs of the run into the slot's bytes.</summary>
    public abstract void Write(OnnxSlot slot);

    /// <summary>Writes the answer to input that does not fit.</summary>
    public abstract void WriteRefusal(Utf8JsonWriter json, OnnxModel model, string message);

    /// <summary>Sets what headers the answer has.</summary>
    public virtual void Stamp(HttpResponse response) => response.ContentType = "application/json";
}

/// <summary><c>/score</c>, and MLflow's <c>/invocations</c>.</summary>
internal sealed class ScoreCall(HttpRequest request, bool invocations) : OnnxCall
{
    public override (OnnxModel? Model, ScoringError? Refusal) Choose(OnnxServing serving) =>
        serving.Only is { } only ? (only, null) : (null, ScoringError.SeveralModels(serving.Models.Select(m => m.Name).Distinct(StringComparer.Ordinal)));

    public override void Read(ReadOnlySpan<byte> body, OnnxSlot slot)
    {
        if (MediaKind.Of(request.ContentType) == MediaKind.Csv)
        {
            PayloadReader.Read(CsvBody.ToSplit(body), slot);
        }
        else
        {
            PayloadReader.Read(body, slot);
        }
    }

    public override void Write(OnnxSlot slot) => AnswerWriter.Write(slot, invocations);

    public override void WriteRefusal(Utf8JsonWriter json, OnnxModel model, string message)
    {
        json.WriteStartObject();
        if (invocations)
        {
            json.WriteString("error_code"u8, "INVALID_PARAMETER_VALUE"u8);
            json.WriteString("message"u8, message);
        }
        else
        {
            json.WriteStartObject("error"u8);
            json.WriteString("code"u8, "invalid_input"u8);
            json.WriteString("message"u8, message);
            json.WriteEndObject();
        }

        Fitting.WriteExpected(json, model);
        json.WriteEndObject();
    }
}
