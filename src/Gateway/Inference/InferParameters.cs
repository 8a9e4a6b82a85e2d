using System.Text.Json;
using Zaffre.Gateway.Onnx;

namespace Zaffre.Gateway.Inference;

/// <summary>Parameters of a request, an input or an output. Those of extensions that are not there are refused by name, others are passed over.</summary>
internal static class InferParameters
{
    /// <summary>Reads the object at which the reader stands; returns <c>binary_data</c> when it is given.</summary>
    public static bool? Read(ref Utf8JsonReader reader, out long? binarySize, out bool binaryOutput)
    {
        (binarySize, binaryOutput) = (null, false);
        bool? binary = null;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InputException("'parameters' must be an object.");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("binary_data_size"u8))
            {
                reader.Read();
                binarySize = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var size) ? size : throw new InputException("'binary_data_size' must be a whole number.");
            }
            else if (reader.ValueTextEquals("binary_data"u8))
            {
                binary = Truth(ref reader, "binary_data");
            }
            else if (reader.ValueTextEquals("binary_data_output"u8))
            {
                binaryOutput = Truth(ref reader, "binary_data_output");
            }
            else if (reader.ValueTextEquals("classification"u8) || reader.ValueTextEquals("shared_memory_region"u8) || reader.ValueTextEquals("sequence_id"u8))
            {
                throw new InputException($"The parameter '{reader.GetString()}' belongs to an extension of the protocol that is not supported; /v2 lists those that are.");
            }
            else
            {
                reader.Skip();
            }
        }

        return binary;
    }

    private static bool Truth(ref Utf8JsonReader reader, string member)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            _ => throw new InputException($"'{member}' must be true or false."),
        };
    }
}
