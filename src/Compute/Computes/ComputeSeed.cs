using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Resources;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Compute.Computes;

/// <summary>The computes that every workspace has from the start.</summary>
internal sealed class ComputeSeed(IResources resources) : IWorkspaceSeed
{
    public const string Serverless = "serverless";
    private const string Cluster = "cpu-cluster";

    public void Plant(WriteScope scope, Workspace workspace, Caller actor)
    {
        resources.Put(scope, workspace.Ref.Child("computes", Serverless), Document(workspace.Location, 64), actor);
        resources.Put(scope, workspace.Ref.Child("computes", Cluster), Document(workspace.Location, 4), actor);
    }

    private static JsonObject Document(string location, int nodes) => new()
    {
        ["location"] = location,
        ["properties"] = new JsonObject
        {
            ["computeType"] = "AmlCompute",
            ["properties"] = new JsonObject
            {
                ["vmSize"] = "Standard_DS3_v2",
                ["scaleSettings"] = new JsonObject { ["minNodeCount"] = 0, ["maxNodeCount"] = nodes, ["nodeIdleTimeBeforeScaleDown"] = "PT120S" },
            },
        },
    };
}
