using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Gateway.Workers;

namespace Zaffre.Gateway.Onnx;

/// <summary>The loaded models of one generation. Lives until it is retired and its last request has ended. Thread safe.</summary>
internal sealed class OnnxServing
{
    private readonly Dictionary<string, OnnxModel[]> models;
    private int users = 1;

    public OnnxServing(OnnxRoute route, IEnumerable<OnnxModel> loaded, OnnxGuard guard)
    {
        (Route, Guard) = (route, guard);
        models = loaded.GroupBy(m => m.Name, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.OrderByDescending(m => long.Parse(m.Version)).ToArray(), StringComparer.Ordinal);
        Description = new WorkerDescription
        {
            Invocations = true,
            Version = route.MlflowVersion ?? route.Version,
            Swagger = Only is { } only ? JsonSerializer.SerializeToElement(OnnxSwagger.Of(only), SwaggerJson.Default.JsonObject) : null,
        };
    }

    public OnnxRoute Route { get; }

    public OnnxGuard Guard { get; }

    public WorkerDescription Description { get; }

    public IEnumerable<OnnxModel> Models => models.Values.SelectMany(v => v);

    /// <summary>The model that <c>/score</c> asks; null when there are several.</summary>
    public OnnxModel? Only => models.Count == 1 ? models.Values.Single()[0] : null;

    /// <summary>A model by name, its newest version when none is given; null when there is none.</summary>
    public OnnxModel? Find(string name, string? version) =>
        models.TryGetValue(name, out var versions) ? version is null ? versions[0] : Array.Find(versions, m => m.Version == version) : null;

    /// <summary>The versions of a model, newest first.</summary>
    public IEnumerable<string> VersionsOf(string name) => models[name].Select(m => m.Version);

    /// <summary>Takes part in it; false when it has ended. Every success needs a <see cref="Release"/>.</summary>
    public bool TryAcquire()
    {
        int seen;
        do
        {
            seen = Volatile.Read(ref users);
            if (seen == 0)
            {
                return false;
            }
        }
        while (Interlocked.CompareExchange(ref users, seen + 1, seen) != seen);
        return true;
    }

    /// <summary>Ends a part; also that of who made it, once. The last one frees the models.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref users) == 0)
        {
            foreach (var model in Models)
            {
                model.Dispose();
            }

            Guard.Dispose();
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonObject))]
internal sealed partial class SwaggerJson : System.Text.Json.Serialization.JsonSerializerContext;
