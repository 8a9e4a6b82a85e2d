using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Compute.Launch;
using Zaffre.Compute.Operator;
using Zaffre.Kernel;

namespace Zaffre.Compute.Containers;

/// <summary>An image that the engine has: its id and what its makers set for it.</summary>
internal sealed record EngineImage(string Id, IReadOnlyList<string> Variables)
{
    /// <summary>A name and digest by which a registry gives it; null when the engine knows none.</summary>
    public string? Source { get; init; }
}

/// <summary>podman or docker as a store of images: finds, pulls, builds and exports them. It runs nothing of a job: that is the sandbox's.</summary>
internal sealed class ContainerEngine(ContainerSettings settings, TimeSpan longest)
{
    private static readonly string[] Names = ["podman", "docker"];

    private string? Program => settings.Engine is { } given
        ? given.Contains('/', StringComparison.Ordinal) ? (File.Exists(given) ? given : null) : HostSandbox.Program(given)
        : Names.Select(HostSandbox.Program).FirstOrDefault(found => found is not null);

    /// <summary>The image of a reference; pulled when it is missing and may be. The problem says why there is none.</summary>
    public async Task<Outcome<EngineImage>> FindAsync(string reference, bool pull, CancellationToken ct)
    {
        if (Program is null)
        {
            return new Problem(ProblemKind.Invalid, "ContainersUnavailable", $"The environment is to run in a container of '{reference}', and this server has no {settings.Engine ?? "podman or docker"}. Install it, or change 'containers' in compute.yml.");
        }

        if (reference.StartsWith('-') || reference.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
        {
            return new Problem(ProblemKind.Invalid, "InvalidImage", $"'{reference}' is no name of an image.") { Target = "properties.image" };
        }

        if (await InspectAsync(reference, ct) is { } there)
        {
            return there;
        }

        if (!pull)
        {
            return Missing(reference, "and this server does not pull images ('pull: true' of 'containers' in compute.yml). Load or build it there under this name");
        }

        var pulled = await RunAsync(["pull", reference], ct);
        return pulled.Code != 0 ? Missing(reference, "and it could not be pulled: " + pulled.Why)
            : await InspectAsync(reference, ct) is { } found ? found
            : Missing(reference, "though it was pulled");
    }

    /// <summary>Writes the image's files into a tar.</summary>
    public async Task<Problem?> ExportAsync(EngineImage image, string tar, CancellationToken ct)
    {
        var made = await RunAsync(["create", image.Id, "/bin/sh"], ct);
        if (made.Code != 0)
        {
            return Failed("no container of the image could be made", made);
        }

        var container = made.Output.Trim().Split('\n')[^1];
        try
        {
            var exported = await RunAsync(["export", "-o", tar, container], ct);
            return exported.Code == 0 ? null : Failed("the image could not be exported", exported);
        }
        finally
        {
            await RunAsync(["rm", "-f", container], CancellationToken.None);
        }
    }

    /// <summary>Builds a folder with a Dockerfile; the output goes to <paramref name="log"/>.</summary>
    public async Task<Problem?> BuildAsync(string context, string dockerfile, string tag, string log, CancellationToken ct)
    {
        var built = await RunAsync(["build", .. settings.BuildArguments, "-t", tag, "-f", Path.Combine(context, dockerfile), context], ct);
        await File.AppendAllTextAsync(log, built.Output + built.Error, ct);
        return built.Code == 0 ? null : Failed("the build context could not be built", built);
    }

    private async Task<EngineImage?> InspectAsync(string reference, CancellationToken ct)
    {
        var answer = await RunAsync(["image", "inspect", reference], ct);
        if (answer.Code != 0)
        {
            return null;
        }

        try
        {
            var image = (JsonNode.Parse(answer.Output) as JsonArray)?[0] as JsonObject;
            return image?.Text("Id") is { Length: > 12 } id
                ? new EngineImage(id.Replace("sha256:", "", StringComparison.Ordinal), [.. (image.Object("Config")?["Env"] as JsonArray ?? []).Select(v => v.Text()).OfType<string>()])
                {
                    Source = (image["RepoDigests"] as JsonArray)?.Select(digest => digest.Text()).FirstOrDefault(digest => digest is not null && !digest.StartsWith("localhost/", StringComparison.Ordinal)),
                }
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<Answer> RunAsync(IReadOnlyList<string> arguments, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(longest);
        var start = new ProcessStartInfo(Program!, [.. settings.Arguments, .. arguments]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        Process? process = null;
        try
        {
            process = Process.Start(start)!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await Task.WhenAll(output, error);
            await process.WaitForExitAsync(limit.Token);
            return new Answer(process.ExitCode, await output, await error);
        }
        catch (Win32Exception e)
        {
            return new Answer(127, "", e.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new Answer(124, "", $"it took longer than {longest.TotalMinutes:0.#} minutes");
        }
        finally
        {
            if (process is { HasExited: false })
            {
                process.Kill(entireProcessTree: true);
            }

            process?.Dispose();
        }
    }

    private static Problem Missing(string reference, string why) => new(ProblemKind.Invalid, "ImageNotFound", $"The image '{reference}' is not there, {why}.") { Target = "properties.image" };

    private static Problem Failed(string what, Answer answer) => new(ProblemKind.Invalid, "ImageNotBuilt", $"The environment's image cannot be made real: {what}: {answer.Why}");

    private sealed record Answer(int Code, string Output, string Error)
    {
        /// <summary>The last line, which with these programs says the cause.</summary>
        public string Why => (Error.Trim().Length > 0 ? Error : Output).Trim().Split('\n')[^1];
    }
}
