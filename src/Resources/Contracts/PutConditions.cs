using Microsoft.AspNetCore.Http;

namespace Zaffre.Resources;

/// <summary>The conditions of a request.</summary>
public static class PutConditions
{
    /// <summary>The request's <c>If-Match</c> and <c>If-None-Match</c>.</summary>
    public static PutCondition PutCondition(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var headers = context.Request.Headers;
        return new(headers.IfMatch is [{ } match] ? match : null, headers.IfNoneMatch is [{ } none] ? none : null);
    }
}
