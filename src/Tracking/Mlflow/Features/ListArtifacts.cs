using System.Text.Json;
using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>What lies directly in a folder of a run's artifacts; paths are relative to the run's root.</summary>
internal sealed class ListArtifacts(IDatabase database, ArtifactStore artifacts) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "artifacts/list");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var id = request.RunId();
        var folder = ArtifactPath.Check(request.TextOrEmpty("path"));
        var run = await database.ReadAsync(connection => RunStore.Find(connection, call.WorkspaceKey, id), ct) ?? throw MlflowErrors.NoRun(id);
        var entries = await artifacts.ListAsync(await artifacts.RootAsync(call.Workspace, RunArtifacts.Prefix(run.Id), ct), folder, ct);
        await call.WriteAsync(
            json =>
            {
                json.WriteString("root_uri", call.Uris.Of(run));
                WriteFiles(json, entries, entry => entry.Path);
            },
            ct);
    }

    public static void WriteFiles(Utf8JsonWriter json, IReadOnlyList<ArtifactEntry> entries, Func<ArtifactEntry, string> name)
    {
        if (entries.Count == 0)
        {
            return;
        }

        json.WriteStartArray("files");
        foreach (var entry in entries)
        {
            json.WriteStartObject();
            json.WriteString("path", name(entry));
            json.WriteBoolean("is_dir", entry.IsFolder);
            if (!entry.IsFolder)
            {
                json.WriteNumber("file_size", entry.Size);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
