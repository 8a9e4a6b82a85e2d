using System.Xml;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Zaffre.Kernel;
using Zaffre.Storage.Access;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Names;
using Zaffre.Web;

namespace Zaffre.Storage.Protocol;

/// <summary>
/// Everything sent to a blob host (or below <c>/blobz/{account}</c>) is the blob protocol and nothing else: it is answered before routing, so that no
/// route of another surface can be reached through a blob host, and by names as they were sent.
/// </summary>
internal sealed class BlobMiddleware(StorageAccounts accounts, BlobOperations operations, BlobAccess access, TimeProvider time, ILogger<BlobMiddleware> log) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(HandleAsync);
        next(app);
    };

    private Task HandleAsync(HttpContext context, RequestDelegate next) =>
        RequestTarget.TryAccount(context.Request.Host.Value ?? "", out _) || context.Request.Path.StartsWithSegments("/" + RequestTarget.PathPrefix, StringComparison.Ordinal)
            ? AnswerAsync(context)
            : next(context);

    private async Task AnswerAsync(HttpContext context)
    {
        Prepare(context);
        try
        {
            var target = RequestTarget.Parse(context.Request.Host.Value!, RawTarget(context));
            CheckNames(target);
            UnsupportedHeaders.Check(context.Request.Headers);
            var account = await accounts.OpenAsync(target.Account, context.RequestAborted) ?? throw BlobErrors.NoSuchAccount(target.Account);
            var operation = operations.Of(context.Request, target);
            await operation.RunAsync(await access.AuthorizeAsync(new BlobCall(context, target, account), operation));
        }
        catch (Exception exception) when (!context.Response.HasStarted && BlobProblems.TryError(exception, out var error))
        {
            await WriteErrorAsync(context, error);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            StorageLog.ClientLeft(log, context.Request.Method, context.Request.Path);
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            await WriteErrorAsync(context, Malformed(exception).Error);
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            StorageLog.RequestFailed(log, exception, context.TraceIdentifier, context.Request.Method, context.Request.Path);
            await WriteErrorAsync(context, new BlobError(StatusCodes.Status500InternalServerError, "InternalError", $"The server failed to handle this request. Its log says why, under request id {context.TraceIdentifier}."));
        }
    }

    private static BlobException Malformed(BadHttpRequestException exception) => exception.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => BlobErrors.TooLarge(WriteBlob.Limit),
        StatusCodes.Status408RequestTimeout => BlobErrors.TooSlow(),
        _ => BlobErrors.Incomplete(),
    };

    // Once for every operation, so that no path is ever made of a name that is none.
    private static void CheckNames(RequestTarget target)
    {
        if (target.Container.Length > 0)
        {
            Containers.CheckName(target.Container);
        }

        if (target.Blob.Length > 0 && (!NameRules.IsBlob(target.Blob) || NameRules.HasDotSegment(target.Blob)))
        {
            throw BlobErrors.InvalidName("a blob name has 1 to 1,024 characters in at most 254 segments, and no segment '.' or '..'.");
        }
    }

    private static void Prepare(HttpContext context)
    {
        RequestIds.Stamp(context);
        context.Response.Headers["x-ms-version"] =
            context.Request.Headers["x-ms-version"] is [{ Length: > 0 and < 20 } version] && HeaderText.CanCarry(version) ? version : BlobCall.DefaultVersion;
    }

    private static string RawTarget(HttpContext context) => context.Features.Get<IHttpRequestFeature>()?.RawTarget is { Length: > 0 } raw
        ? raw
        : context.Request.Path.ToUriComponent() + context.Request.QueryString.ToUriComponent();

    private async Task WriteErrorAsync(HttpContext context, BlobError error)
    {
        var response = context.Response;
        response.StatusCode = error.Status;
        response.Headers["x-ms-error-code"] = error.Code;
        foreach (var (name, value) in error.Headers)
        {
            response.Headers[name] = value;
        }

        if (HttpMethods.IsHead(context.Request.Method) || error.Status == StatusCodes.Status304NotModified)
        {
            return;
        }

        await XmlAnswer.WriteAsync(response, (XmlWriter xml) =>
        {
            xml.WriteStartElement("Error");
            xml.WriteElementString("Code", error.Code);
            xml.WriteElementString("Message", $"{XmlAnswer.Clean(error.Message)}\nRequestId:{context.TraceIdentifier}\nTime:{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffffffZ}");
            xml.WriteEndElement();
        });
    }
}
