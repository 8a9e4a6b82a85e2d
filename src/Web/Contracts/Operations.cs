using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>A long-running operation as a client polls it.</summary>
public sealed record Operation(string Id, ArmId Workspace, string Location)
{
    /// <summary>The path of its status, without host.</summary>
    public string StatusPath
    {
        get
        {
            var subscription = Workspace.Value.Split('/')[2];
            return $"/subscriptions/{subscription}/providers/{Routes.Provider}/locations/{Location}/mfeOperationsStatus/{Id}?api-version=2023-04-01";
        }
    }
}

/// <summary>Long-running operations are rows: started in the unit that accepts the request, ended in the unit that ends the work. Kept for a day.</summary>
public interface IOperations
{
    /// <summary>Starts an operation on <paramref name="target"/>; the result of a 202 operation is read from it when it ends.</summary>
    Operation Start(WriteScope scope, ArmId target, string location);

    /// <summary>Ends it well; <paramref name="result"/> is the body of a <c>Location</c> poll, null for 204 there.</summary>
    void Succeed(WriteScope scope, string id, JsonObject? result = null);

    /// <summary>Ends it badly.</summary>
    void Fail(WriteScope scope, string id, Problem problem);
}
