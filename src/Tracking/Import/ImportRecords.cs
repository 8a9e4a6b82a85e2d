using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Kernel;
using Zaffre.Tracking.Mlflow;
using Zaffre.Web;

namespace Zaffre.Tracking.Import;

/// <summary>
/// POST <c>/zaffre/v1{W}/mlflow:import</c>: records of another MLflow store, one JSON object a line, each written with its own ids and times. Records are written in
/// their order, in units of about a thousand rows; a refused one does not stop the others. <c>?rehearse=true</c> undoes every unit.
/// </summary>
internal static class ImportRecords
{
    private const int UnitWeight = 1000;

    public static async Task<IResult> HandleAsync(HttpContext context, WorkspaceRef workspace, CancellationToken ct)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        try
        {
            var call = await CallAsync(context, workspace, ct);
            var tally = new ImportTally();
            var (batch, weight) = (new List<(int Line, ImportItem Item)>(), 0);
            await foreach (var (line, text) in ImportLines.ReadAsync(context.Request.BodyReader, ct))
            {
                var (item, problems) = ImportLines.Parse(line, text);
                if (item is null)
                {
                    tally.Refuse(line, problems);
                    continue;
                }

                batch.Add((line, item));
                weight += item.Weight;
                if (weight >= UnitWeight)
                {
                    await WriteAsync(call, batch, tally);
                    batch.Clear();
                    weight = 0;
                }
            }

            await WriteAsync(call, batch, tally);
            return ArmResults.Ok(tally.Answer());
        }
        catch (ProblemException exception)
        {
            return ArmResults.Problem(exception.Problem);
        }
        catch (BadHttpRequestException exception)
        {
            return ArmResults.Problem(new Problem(ProblemKind.Invalid, "InvalidRequestContent", exception.Message));
        }
    }

    /// <summary>The call; a job's token may not import.</summary>
    public static async Task<ImportCall> CallAsync(HttpContext context, WorkspaceRef workspace, CancellationToken ct)
    {
        var caller = context.Caller();
        if (caller.Job is not null)
        {
            throw new ProblemException(new Problem(ProblemKind.Forbidden, "AuthorizationFailed", "The token of a job may not import."));
        }

        var stores = context.RequestServices.GetRequiredService<ImportStores>();
        return new ImportCall(workspace, await stores.Workspaces.EnsureAsync(workspace, ct), caller, stores, context.Request.Query["rehearse"] == "true");
    }

    // A unit in which a record is refused is undone; then each of its records has a unit of its own.
    private static async Task WriteAsync(ImportCall call, List<(int Line, ImportItem Item)> batch, ImportTally tally)
    {
        if (batch.Count == 0 || await TryAsync(call, batch, tally) is null)
        {
            return;
        }

        foreach (var one in batch)
        {
            if (await TryAsync(call, [one], tally) is { } why)
            {
                tally.Refuse(one.Line, one.Item, why);
            }
        }
    }

    private static async Task<(string Code, string Message)?> TryAsync(ImportCall call, List<(int Line, ImportItem Item)> batch, ImportTally tally)
    {
        try
        {
            var unit = await call.Stores.Database.WriteAsync(scope => Write(new ImportUnit(scope, call), batch), CancellationToken.None);
            tally.Add(batch.Select(one => one.Item), unit);
            return null;
        }
        catch (Rehearsed rehearsed)
        {
            tally.Add(batch.Select(one => one.Item), rehearsed.Unit);
            return null;
        }
        catch (ImportRefusal refusal)
        {
            return (refusal.Code, refusal.Message);
        }
        catch (MlflowException refusal)
        {
            return (refusal.Code, refusal.Message);
        }
        catch (ProblemException refusal) when (refusal.Problem.Kind is ProblemKind.Invalid or ProblemKind.Conflict or ProblemKind.NotFound or ProblemKind.Unsupported)
        {
            return (refusal.Problem.Code, refusal.Problem.Message);
        }
    }

    private static ImportUnit Write(ImportUnit unit, List<(int Line, ImportItem Item)> batch)
    {
        foreach (var (line, item) in batch)
        {
            unit.Line = line;
            try
            {
                item.Apply(unit);
            }
            catch (ImportUnknowable)
            {
                // A rehearsal: what this belongs to would have been written by now.
            }
        }

        return unit.Call.Rehearsal ? throw new Rehearsed(unit) : unit;
    }

    /// <summary>Undoes the unit of a rehearsal.</summary>
    private sealed class Rehearsed(ImportUnit unit) : Exception
    {
        public ImportUnit Unit => unit;
    }
}
