using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>Endpoint metadata for routes of a protocol with an error shape of its own: how refusals before the handler are written.</summary>
public interface IProblemShape
{
    /// <summary>The answer that says <paramref name="problem"/>.</summary>
    IResult Render(Problem problem);
}
