using Microsoft.AspNetCore.Http;

namespace Zaffre.Web;

/// <summary>Endpoint metadata for routes whose path does not name the scope they act on (plain MLflow routes act on the default workspace).</summary>
public interface IScopeOfRequest
{
    /// <summary>The scope to authorize on.</summary>
    ArmId ScopeOf(HttpContext context);
}
