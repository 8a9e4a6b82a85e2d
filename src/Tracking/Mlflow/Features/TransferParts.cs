using Microsoft.AspNetCore.Http;
using Zaffre.Tracking.Artifacts;
using Zaffre.Web;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>Where the parts of an artifact go: URLs of this server, each good for one part.</summary>
internal sealed class CreateUpload(ArtifactPlaces places, ArtifactUploads uploads, ArtifactTickets tickets) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = PartRoutes.Of("create");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var count = (await call.ReadAsync(ct)).Long("num_parts") ?? throw MlflowErrors.Missing("num_parts");
        if (count is < 1 or > ArtifactUploads.MostParts)
        {
            throw MlflowErrors.InvalidValue("num_parts", $"{count}", $"it must be between 1 and {ArtifactUploads.MostParts}.");
        }

        var place = ArtifactProxy.File(await places.WritableAsync(call, ArtifactProxy.Path(call), ct));
        var (id, parts) = await uploads.CreateAsync(place.Address, (int)count, ct);
        await call.WriteAsync(
            json =>
            {
                json.WriteString("upload_id", id);
                json.Array(
                    "credentials",
                    parts.Select((part, index) => (Part: part, Number: index + 1)),
                    part =>
                    {
                        json.WriteString("url", SignedArtifacts.Url(call.Http, tickets.Issue("put", part.Part, ArtifactTickets.Life)));
                        json.WriteNumber("part_number", part.Number);
                        json.WriteStartObject("headers");
                        json.WriteEndObject();
                    });
            },
            ct);
    }
}

/// <summary>Makes the artifact of its parts.</summary>
internal sealed class CompleteUpload(ArtifactPlaces places, ArtifactUploads uploads) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = PartRoutes.Of("complete");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var parts = request.Objects("parts").Select(part => (Number: (int)Math.Clamp(part.Long("part_number") ?? throw MlflowErrors.Missing("part_number"), 0, int.MaxValue), ETag: part.TextOrEmpty("etag"))).ToList();
        if (parts.Count == 0 || parts.DistinctBy(part => part.Number).Count() != parts.Count)
        {
            throw MlflowErrors.Invalid("Invalid value for parameter 'parts' supplied: name every part once.");
        }

        var place = await places.WritableAsync(call, ArtifactProxy.Path(call), ct);
        await uploads.CompleteAsync(request.RequiredText("upload_id"), place.Address, parts, ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Gives an upload up.</summary>
internal sealed class AbortUpload(ArtifactPlaces places, ArtifactUploads uploads) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = PartRoutes.Of("abort");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var id = (await call.ReadAsync(ct)).RequiredText("upload_id");
        var place = await places.WritableAsync(call, ArtifactProxy.Path(call), ct);
        await uploads.AbortAsync(id, place.Address, ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>A URL from which the artifact is read in ranges without a token.</summary>
internal sealed class PresignDownload(ArtifactPlaces places, Data.ArtifactStore artifacts, ArtifactTickets tickets) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } =
        ["GET /api/2.0/mlflow-artifacts/presigned/{**path}", "GET /ajax-api/2.0/mlflow-artifacts/presigned/{**path}"];

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var place = await places.ReadableAsync(call, ArtifactProxy.Path(call), ct);
        var info = await artifacts.FindAsync(place.Address, ct) ?? throw MlflowErrors.NotFound($"No artifact '{place.Path}' in '{ArtifactProxy.Path(call)}'");
        await call.WriteAsync(
            json =>
            {
                json.WriteString("url", SignedArtifacts.Url(call.Http, tickets.Issue("get", place.Address, ArtifactTickets.Life)));
                json.WriteStartObject("headers");
                json.WriteEndObject();
                json.WriteNumber("file_size", info.Size);
            },
            ct);
    }
}

/// <summary>A URL to which one artifact of a run is written without a token.</summary>
internal sealed class PresignUpload(ArtifactPlaces places, ArtifactTickets tickets) : MlflowOperation
{
    private const int Longest = 43_200;

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "artifacts/presigned-upload-url");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (id, path) = (request.RunId(), request.RequiredText("path"));
        var seconds = request.Long("expiration") ?? 900;
        if (seconds is < 1 or > Longest)
        {
            throw MlflowErrors.InvalidValue("expiration", $"{seconds}", $"it must be between 1 and {Longest} seconds.");
        }

        var place = await places.OfRunAsync(call, id, path, ct);
        await call.WriteAsync(
            json =>
            {
                json.WriteString("presigned_url", SignedArtifacts.Url(call.Http, tickets.Issue("put", place.Address, TimeSpan.FromSeconds(seconds))));
                json.WriteStartObject("headers");
                json.WriteEndObject();
            },
            ct);
    }
}

internal static class PartRoutes
{
    public static IReadOnlyList<string> Of(string verb) => [$"POST /api/2.0/mlflow-artifacts/mpu/{verb}/{{**path}}", $"POST /ajax-api/2.0/mlflow-artifacts/mpu/{verb}/{{**path}}"];
}
