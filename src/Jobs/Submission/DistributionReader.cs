using System.Globalization;
using System.Text.Json.Nodes;

namespace Zaffre.Jobs.Submission;

/// <summary>Reads <c>distribution</c> and <c>resources.instanceCount</c>: how many processes a job is.</summary>
internal static class DistributionReader
{
    private const string Path = "properties.distribution";
    private const string CountPath = "properties.resources.instanceCount";
    private const string Kinds = "PyTorch, TensorFlow or Mpi";

    public const string RayIsNotSupported =
        $"distribution Ray is not supported: it needs the program 'ray' on every instance, started as head on the first one, and this server starts none. Use {Kinds}.";

    /// <summary>The gang, or null for a job that is one process, or is wrong (reported).</summary>
    public static PlannedGang? Read(JsonObject properties, Findings findings)
    {
        var before = findings.Count;
        var instances = Count(findings.Map(properties, "resources", "properties"), "instanceCount", least: 1, CountPath, findings) ?? 1;
        var document = findings.Map(properties, "distribution", "properties");
        var gang = document.All(member => member.Value is null)
            ? instances == 1 ? null : new PlannedGang(GangKind.Instances, instances, instances, 0)
            : Read(document, instances, findings);
        if (gang is { Processes: > PlannedGang.MostProcesses })
        {
            findings.Invalid(gang.Processes == instances ? CountPath : Path, $"the job would be {gang.Processes} processes; at most {PlannedGang.MostProcesses} are allowed.");
        }

        return findings.Count > before ? null : gang;
    }

    private static PlannedGang? Read(JsonObject document, int instances, Findings findings)
    {
        switch (findings.Scalar(document, "distributionType", Path)?.ToUpperInvariant())
        {
            case "PYTORCH":
                return Even(GangKind.PyTorch, document, instances, findings);
            case "MPI":
                return Even(GangKind.Mpi, document, instances, findings);
            case "TENSORFLOW":
                var servers = Count(document, "parameterServerCount", least: 0, $"{Path}.parameterServerCount", findings) ?? 0;
                var workers = Count(document, "workerCount", least: 1, $"{Path}.workerCount", findings) ?? instances;
                return new PlannedGang(GangKind.TensorFlow, instances, workers + servers, servers);
            case "RAY":
                findings.Unsupported(Path, RayIsNotSupported);
                return null;
            case null or "":
                findings.Invalid($"{Path}.distributionType", $"distributionType is missing: {Kinds}.");
                return null;
            default:
                findings.Invalid($"{Path}.distributionType", $"'{document["distributionType"]}' is no distributionType: {Kinds}.");
                return null;
        }
    }

    private static PlannedGang Even(GangKind kind, JsonObject document, int instances, Findings findings) =>
        new(kind, instances, instances * (Count(document, "processCountPerInstance", least: 1, $"{Path}.processCountPerInstance", findings) ?? 1), 0);

    private static int? Count(JsonObject map, string name, int least, string path, Findings findings)
    {
        // Above the largest number of processes the exact number does not matter, and products of it must not overflow.
        const int most = 10_000;
        if (findings.Scalar(map, name, path[..path.LastIndexOf('.')]) is not { Length: > 0 } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        findings.Invalid(path, $"'{text}' is no number from {least} to {most}.");
        return null;
    }
}
