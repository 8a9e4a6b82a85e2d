using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>A run with its latest metrics, params and tags.</summary>
internal sealed class GetRun(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "runs/get");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var id = (await call.ReadAsync(ct)).RunId();
        var run = await database.ReadAsync(
            connection => RunStore.Find(connection, call.WorkspaceKey, id) is { } row ? RunDetail.Read(connection, [row])[0] : null,
            ct) ?? throw MlflowErrors.NoRun(id);
        await call.WriteAsync(
            json =>
            {
                json.WriteStartObject("run");
                json.RunMembers(run, call.Uris);
                json.WriteEndObject();
            },
            ct);
    }
}
