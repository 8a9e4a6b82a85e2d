using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Web;

namespace Zaffre.Identity.Features;

/// <summary>
/// The errors of the authority, one method per wire error, in the shape MSAL reads (<c>error</c>, <c>error_description</c> with
/// an AADSTS number, <c>error_codes</c>, trace ids).
/// </summary>
internal sealed record AuthorityError(int Status, string Error, int Code, string Message)
{
    public static AuthorityError UnknownTenant(string tenant) =>
        new(400, "invalid_request", 90002, $"Tenant '{Show(tenant)}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.");

    public static AuthorityError Missing(string parameter) =>
        new(400, "invalid_request", 900144, $"The request body must contain the following parameter: '{parameter}'.");

    public static AuthorityError Malformed(string why) =>
        new(400, "invalid_request", 90013, $"Invalid input received from the user: {why}");

    public static AuthorityError Repeated(string parameter) =>
        new(400, "invalid_request", 90013, $"Invalid input received from the user: the parameter '{parameter}' is given more than once.");

    public static AuthorityError UnsupportedGrant(string grant) =>
        new(400, "unsupported_grant_type", 70003, $"The app requested an unsupported grant type '{Show(grant)}'. This authority serves client_credentials.");

    public static AuthorityError UnknownClient(string clientId, string tenant) =>
        new(400, "unauthorized_client", 700016, $"Application with identifier '{Show(clientId)}' was not found in the directory '{Show(tenant)}'.");

    public static AuthorityError WrongSecret(string clientId) =>
        new(401, "invalid_client", 7000215, $"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{Show(clientId)}'.");

    public static AuthorityError MissingSecret() =>
        new(401, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");

    public static AuthorityError AssertionUnsupported() =>
        new(400, "invalid_request", 700027, "Client assertions are not supported. Use 'client_secret'.");

    public static AuthorityError InvalidScope(string scope) =>
        new(400, "invalid_scope", 1002012, $"The provided value for scope '{Show(scope)}' is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).");

    public static AuthorityError UnknownResource(string resource, string tenant) =>
        new(400, "invalid_resource", 500011, $"The resource principal named '{Show(resource)}' was not found in the tenant named '{Show(tenant)}'.");

    public static AuthorityError InvalidLifetime(string value) =>
        new(400, "invalid_request", 90013, $"Invalid input received from the user: 'zaffre_lifetime' is a number of seconds from 60 to 43200, not '{Show(value)}'.");

    public static AuthorityError UnknownInstance(string endpoint) =>
        new(400, "invalid_instance", 50049, $"Unknown or invalid instance: '{Show(endpoint)}'.");

    public IResult ToResult(HttpContext context, TimeProvider time)
    {
        var (trace, correlation) = (Guid.NewGuid().ToString(), CorrelationOf(context));
        var timestamp = time.GetUtcNow().ToString("u", CultureInfo.InvariantCulture);
        context.Response.Headers.CacheControl = "no-store, no-cache";
        return ArmResults.Json(Status, new JsonObject
        {
            ["error"] = Error,
            ["error_description"] = $"AADSTS{Code}: {Message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
            ["error_codes"] = new JsonArray(Code),
            ["timestamp"] = timestamp,
            ["trace_id"] = trace,
            ["correlation_id"] = correlation,
            ["error_uri"] = $"https://{AuthorityHost.Azure}/error?code={Code}",
        });
    }

    private static string CorrelationOf(HttpContext context) =>
        Guid.TryParse(context.Request.Headers["client-request-id"], out var id) ? id.ToString() : Guid.NewGuid().ToString();

    private static string Show(string value) => value.Length <= 200 ? value : value[..200] + "...";
}
