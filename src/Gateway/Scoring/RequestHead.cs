using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace Zaffre.Gateway.Scoring;

/// <summary>
/// The head of a request frame: the request id; and for scripts with raw HTTP, MLflow models, or other methods than POST, a line with method and
/// URL and one line for each header. The caller's credential never reaches the model.
/// </summary>
internal static class RequestHead
{
    public static byte[] Build(HttpRequest request, string requestId, bool wantsHeaders)
    {
        if (!wantsHeaders && HttpMethods.IsPost(request.Method))
        {
            return Encoding.UTF8.GetBytes(requestId);
        }

        var text = new StringBuilder(requestId).Append('\n').Append(request.Method).Append(' ').Append(request.GetEncodedUrl()).Append('\n');
        foreach (var (name, values) in request.Headers)
        {
            if (name.Equals("Authorization", StringComparison.OrdinalIgnoreCase) || name.Equals("Cookie", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            foreach (var value in values)
            {
                text.Append(name).Append(": ").Append(value).Append('\n');
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
