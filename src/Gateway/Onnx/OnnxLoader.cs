using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Zaffre.Gateway.Routing;

namespace Zaffre.Gateway.Onnx;

/// <summary>
/// Loads generations of ONNX deployments. What the server had described is kept for the table that names it, so that a new generation serves
/// from the moment it is in the table. Thread safe.
/// </summary>
internal sealed class OnnxLoader(TableFile state, TimeProvider time, ILogger<OnnxLoader> log)
{
    private static readonly TimeSpan KeepPrepared = TimeSpan.FromMinutes(2);
    private readonly Lock gate = new();
    private readonly Dictionary<string, (OnnxServing Serving, DateTimeOffset Since)> prepared = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OnnxRefusal> refused = new(StringComparer.Ordinal);
    private readonly List<Task> loading = [];

    /// <summary>Generations that were to be served and could not be loaded, once all that are being loaded are.</summary>
    public async Task<OnnxRefusal[]> RefusedAsync()
    {
        Task[] running;
        lock (gate)
        {
            running = [.. loading];
        }

        await Task.WhenAll(running);
        lock (gate)
        {
            loading.RemoveAll(l => l.IsCompleted);
            return [.. refused.Values];
        }
    }

    /// <summary>Loads in the background, on a thread of its own.</summary>
    public void Begin(Action load)
    {
        lock (gate)
        {
            loading.Add(Task.Factory.StartNew(load, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        }
    }

    /// <summary>Loads the models and says what they are, or why they cannot be scored.</summary>
    public OnnxAnswer Prepare(OnnxRoute route)
    {
        if (!TryLoad(route, out var serving, out var refusal))
        {
            return new OnnxAnswer { Code = refusal.Code, Message = refusal.Message };
        }

        List<OnnxServing> old = [];
        lock (gate)
        {
            foreach (var (folder, one) in prepared.Where(p => p.Key == route.Folder || time.GetUtcNow() - p.Value.Since > KeepPrepared).ToList())
            {
                prepared.Remove(folder);
                old.Add(one.Serving);
            }

            prepared[route.Folder] = (serving, time.GetUtcNow());
        }

        old.ForEach(o => o.Release());
        return new OnnxAnswer { Lines = [.. serving.Models.Select(Told)] };
    }

    /// <summary>What was prepared for this route, for the caller to release; null when nothing was.</summary>
    public OnnxServing? Take(OnnxRoute route)
    {
        lock (gate)
        {
            return prepared.Remove(route.Folder, out var found) ? found.Serving : null;
        }
    }

    /// <summary>Loads a route of the table; null when it cannot be, which is kept for who asks.</summary>
    public OnnxServing? Load(OnnxRoute route)
    {
        if (TryLoad(route, out var serving, out var refusal))
        {
            return serving;
        }

        lock (gate)
        {
            refused[route.Folder] = refusal;
        }

        return null;
    }

    private bool TryLoad(OnnxRoute route, out OnnxServing serving, out OnnxRefusal refusal)
    {
        (serving, refusal) = (null!, null!);
        var guard = new OnnxGuard(state.Path("models", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(route.Folder)))[..24]));
        List<OnnxModel> loaded = [];
        try
        {
            if (guard.IsBlocked)
            {
                throw new ModelException("ModelCrashed", $"The model's native code ended the gateway {OnnxGuard.MostDeaths} times in a row; it is not loaded again. See gateway/gateway.log of the data directory, and deploy a repaired model.");
            }

            var ort = OrtApi.Load();
            guard.Enter();
            foreach (var (id, path) in route.File is { } file ? [((route.Model, route.Version), Path.Combine(route.Folder, file))] : TritonRepository.Find(route.Folder))
            {
                loaded.Add(LoadOne(ort, route, id, path));
            }

            serving = new OnnxServing(route, loaded, guard);
            guard.Leave(answered: false);
            log.ModelsLoaded(route.Folder, loaded.Count);
            return true;
        }
        catch (Exception e) when (e is ModelException or OrtException or InputException or IOException or UnauthorizedAccessException)
        {
            loaded.ForEach(m => m.Dispose());
            guard.Dispose();
            refusal = new OnnxRefusal(route.Folder, e is ModelException own ? own.Code : "ModelLoadFailed", e.Message);
            log.ModelsRefused(route.Folder, refusal.Code, refusal.Message);
            return false;
        }
    }

    private static OnnxModel LoadOne(OrtApi ort, OnnxRoute route, (string Name, string Version) id, string path)
    {
        if (!Path.GetFullPath(path).StartsWith(route.Folder + "/", StringComparison.Ordinal))
        {
            throw new ModelException("InvalidModel", $"The model's file is said to be {Path.GetRelativePath(route.Folder, path)}, outside of the model's folder.");
        }

        if (!File.Exists(path))
        {
            throw new ModelException("ModelFilesMissing", $"The model's file {Path.GetFileName(path)} is not there.");
        }

        if (OnnxFile.Check(path) is { } problem)
        {
            throw new ModelException(problem.Code, problem.Message);
        }

        try
        {
            var model = OnnxModel.Load(ort, path, id, route.Threads, route.Columns);
            if (route.BatchRows > 1)
            {
                model.Batch(route.BatchRows, TimeSpan.FromMicroseconds(route.BatchDelayMicroseconds));
            }

            return model;
        }
        catch (Exception e) when (e is OrtException or InputException)
        {
            throw new ModelException("ModelLoadFailed", $"Model {id.Name} does not load in ONNX Runtime {OnnxRuntimeLibrary.Version}: {e.Message.Replace(route.Folder, "", StringComparison.Ordinal).Trim()}{Remedy(e.Message)}");
        }
    }

    private static string Remedy(string message) =>
        message.Contains("is not a registered function/op", StringComparison.Ordinal) || message.Contains("custom op", StringComparison.OrdinalIgnoreCase)
            ? " Custom operators are not loaded: export the model with standard ones, or give code_configuration with a scoring script."
            : message.Contains("opset", StringComparison.OrdinalIgnoreCase) || message.Contains("IR version", StringComparison.OrdinalIgnoreCase)
                ? " Export the model again with an older opset."
                : message.Contains("Protobuf parsing failed", StringComparison.OrdinalIgnoreCase) ? " The file is damaged; export and register it again." : "";

    private static string Told(OnnxModel model)
    {
        static string Values(IEnumerable<ValueSpec> values) => string.Join(", ", values.Select(v => v.Kind == ValueKind.Tensor ? $"{v.Name} {v.Type.Numpy()}[{string.Join(",", v.Shape)}]" : $"{v.Name} {v.Kind}"));
        return $"Model {model.Name} version {model.Version}: {Values(model.Inputs)} -> {Values(model.Outputs)}";
    }
}

/// <summary>Why models cannot be scored, with the code of the deployment's error.</summary>
internal sealed class ModelException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}
