using System.Text.Json.Nodes;

namespace Zaffre.Gateway.Onnx;

/// <summary>OpenAPI 3 of a model's routes, made from its inputs and outputs.</summary>
internal static class OnnxSwagger
{
    public static JsonObject Of(OnnxModel model)
    {
        var inputs = Values(model.Inputs);
        var outputs = Values(model.Outputs);
        return new JsonObject
        {
            ["openapi"] = "3.0.3",
            ["info"] = new JsonObject { ["title"] = model.Name, ["version"] = model.Version },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "./" }),
            ["paths"] = new JsonObject
            {
                ["/score"] = Post("score", Wrap("input_data", model.Columns is { } columns ? Split(columns) : inputs.DeepClone()), outputs.DeepClone()),
                ["/invocations"] = Post("invocations", Wrap("inputs", inputs), Wrap("predictions", outputs)),
            },
            ["components"] = new JsonObject { ["securitySchemes"] = new JsonObject { ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" } } },
        };
    }

    private static JsonObject Wrap(string member, JsonNode schema) => new()
    {
        ["type"] = "object",
        ["required"] = new JsonArray(member),
        ["properties"] = new JsonObject { [member] = schema },
    };

    private static JsonObject Split(IReadOnlyList<byte[]> columns) => new()
    {
        ["type"] = "object",
        ["required"] = new JsonArray("columns", "data"),
        ["properties"] = new JsonObject
        {
            ["columns"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" }, ["example"] = new JsonArray([.. columns.Select(c => JsonValue.Create(System.Text.Encoding.UTF8.GetString(c)))]) },
            ["data"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject() } },
        },
    };

    private static JsonObject Values(IReadOnlyList<ValueSpec> values) => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject(values.Select(v => KeyValuePair.Create<string, JsonNode?>(v.Name, Schema(v)))),
    };

    private static JsonObject Schema(ValueSpec value)
    {
        JsonObject schema = value.Kind != ValueKind.Tensor ? [] : new JsonObject
        {
            ["type"] = value.Type switch { ElementType.Boolean => "boolean", ElementType.Text => "string", _ => value.Type.IsFloat() ? "number" : "integer" },
        };
        foreach (var size in value.Shape.Reverse())
        {
            schema = new JsonObject { ["type"] = "array", ["items"] = schema };
            if (size >= 0)
            {
                schema["minItems"] = size;
                schema["maxItems"] = size;
            }
        }

        return schema;
    }

    private static JsonObject Post(string name, JsonNode request, JsonNode answer) => new()
    {
        ["post"] = new JsonObject
        {
            ["operationId"] = name,
            ["security"] = new JsonArray(new JsonObject { ["bearer"] = new JsonArray() }),
            ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Json(request) },
            ["responses"] = new JsonObject
            {
                ["200"] = new JsonObject { ["description"] = "The outputs by name", ["content"] = Json(answer) },
                ["400"] = new JsonObject { ["description"] = "The input does not fit; the answer holds the expected signature" },
                ["408"] = new JsonObject { ["description"] = "The model ran too long" },
                ["424"] = new JsonObject { ["description"] = "The model failed; see ms-azureml-model-error-statuscode" },
                ["429"] = new JsonObject { ["description"] = "Too many pending requests" },
            },
        },
    };

    private static JsonObject Json(JsonNode schema) => new() { ["application/json"] = new JsonObject { ["schema"] = schema } };
}
