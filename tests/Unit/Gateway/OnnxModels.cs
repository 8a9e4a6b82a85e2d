using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Gateway.Onnx;

namespace Zaffre.Tests.Unit.Gateway;

/// <summary>The models that <c>onnx/make.py</c> made, loaded and asked in this process.</summary>
internal static class OnnxModels
{
    public static string File(string name) => Repository.Path($"tests/Unit/Gateway/onnx/{name}.onnx");

    /// <summary>What was computed in Python: <c>inputs</c> and <c>outputs</c>.</summary>
    public static JsonNode Case(string name) => JsonNode.Parse(System.IO.File.ReadAllText(Repository.Path($"tests/Unit/Gateway/onnx/{name}.json")))!;

    public static OnnxModel Load(string name, params string[] columns) => OnnxModel.Load(OrtApi.Load(), File(name), (name, "1"), 1, columns);

    /// <summary>One request: body in, answer out.</summary>
    public static JsonNode Ask(OnnxModel model, string body, bool invocations = false)
    {
        var slot = model.Rent();
        try
        {
            PayloadReader.Read(Encoding.UTF8.GetBytes(body), slot);
            slot.Run(60_000);
            AnswerWriter.Write(slot, invocations);
            return JsonNode.Parse(slot.Bytes.WrittenSpan)!;
        }
        finally
        {
            model.Return(slot);
        }
    }

    /// <summary>The message with which a body is refused.</summary>
    public static string Refusal(OnnxModel model, string body)
    {
        var slot = model.Rent();
        try
        {
            return Assert.Throws<InputException>(() => PayloadReader.Read(Encoding.UTF8.GetBytes(body), slot)).Message;
        }
        finally
        {
            model.Return(slot);
        }
    }

    /// <summary>Compares numbers within 1e-6 of their size, all else exactly.</summary>
    public static void Same(JsonNode? expected, JsonNode? found, string where)
    {
        switch (expected)
        {
            case JsonArray list:
                var other = Assert.IsType<JsonArray>(found);
                Assert.True(list.Count == other.Count, $"{where}: {list.Count} and {other.Count} elements");
                for (var i = 0; i < list.Count; i++)
                {
                    Same(list[i], other[i], $"{where}[{i}]");
                }

                break;
            case JsonObject members:
                Assert.Equal(members.Select(m => m.Key), Assert.IsType<JsonObject>(found).Select(m => m.Key));
                foreach (var (name, value) in members)
                {
                    Same(value, found[name], $"{where}.{name}");
                }

                break;
            case JsonValue number when number.TryGetValue<double>(out var wanted):
                var got = found!.GetValue<double>();
                Assert.True(Math.Abs(wanted - got) <= 1e-6 * Math.Max(1, Math.Abs(wanted)), $"{where}: {wanted} and {got}");
                break;
            default:
                Assert.Equal(expected?.ToJsonString(), found?.ToJsonString());
                break;
        }
    }
}
