using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>Turns a thrown problem into its answer, and everything unexpected into one 500 with the request id and no stack.</summary>
internal sealed class ExceptionMiddleware(RequestDelegate next, ILogger<ExceptionMiddleware> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var requestId = RequestIds.Stamp(context);
        try
        {
            await next(context);
        }
        catch (ProblemException exception) when (!context.Response.HasStarted)
        {
            await ArmResults.Problem(exception.Problem).ExecuteAsync(context);
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            await ArmResults.Json(exception.StatusCode, ArmResults.ErrorBody(ArmErrors.InvalidBody(exception.Message))).ExecuteAsync(context);
        }
        catch (JsonException exception) when (!context.Response.HasStarted)
        {
            await ArmResults.Problem(ArmErrors.InvalidBody($"The request body is not valid: {exception.Message}")).ExecuteAsync(context);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            WebLog.ClientAborted(log, context.Request.Method, context.Request.Path);
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            WebLog.RequestFailed(log, exception, requestId, context.Request.Method, context.Request.Path);
            var problem = new Problem(ProblemKind.Invalid, "InternalServerError", $"The server failed to handle this request. Its log says why, under request id {requestId}.");
            await ArmResults.Json(StatusCodes.Status500InternalServerError, ArmResults.ErrorBody(problem)).ExecuteAsync(context);
        }
    }
}
