using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Zaffre.Web;

namespace Zaffre.Tracking.Import;

/// <summary>The import of other MLflow stores; the protocol is docs/mlflow-import.md.</summary>
internal static class ImportRoutes
{
    private const string Action = "workspaces/mlflow/import/action";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapWorkspace("/zaffre/v1");
        group.MapPost("mlflow:import", ImportRecords.HandleAsync).Requires(Action);
        group.MapPut("mlflow:import/files", ImportFiles.PutAsync).Requires(Action);
        group.MapGet("mlflow:import/files", ImportFiles.ListAsync).Requires(Action);
    }
}
