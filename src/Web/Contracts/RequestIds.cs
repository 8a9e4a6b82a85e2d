using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>
/// The headers by which a request is found again in logs, on every answer of every surface: <c>x-ms-request-id</c> (the server's),
/// <c>x-ms-correlation-request-id</c> (the client's own, else the same), and the ids that clients want echoed.
/// </summary>
public static class RequestIds
{
    private const int Longest = 1024;
    private const string Correlation = "x-ms-correlation-request-id";

    // The second is the authority's, as MSAL sends it.
    private static readonly string[] Echoed = ["x-ms-client-request-id", "client-request-id"];

    /// <summary>Gives the request its id, which is its trace identifier too, and says it in the answer's headers.</summary>
    public static string Stamp(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var id = Guid.NewGuid().ToString();
        context.TraceIdentifier = id;
        var headers = context.Response.Headers;
        headers["x-ms-request-id"] = id;
        headers[Correlation] = Sent(context, Correlation) ?? id;
        foreach (var name in Echoed)
        {
            if (Sent(context, name) is { } own)
            {
                headers[name] = own;
            }
        }

        return id;
    }

    /// <summary>An id of the client's that an answer can carry, or null.</summary>
    private static string? Sent(HttpContext context, string name) =>
        context.Request.Headers[name] is [{ Length: > 0 and <= Longest } id] && HeaderText.CanCarry(id) ? id : null;
}
