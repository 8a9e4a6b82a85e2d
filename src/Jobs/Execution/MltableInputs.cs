using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// Inputs in mode <c>EvalMount</c> and <c>EvalDownload</c>: instead of the folder with the <c>MLTable</c> file the files that it stands for, under
/// <c>{account}/{container}/{path}</c>, as Azure lays them out.
/// </summary>
internal sealed class MltableInputs(IBlobStore store, IUriResolver uris)
{
    private const int MostFiles = 100_000;
    private const int LongestText = 1 << 20;
    private const int PageSize = 5000;

    /// <summary>The inputs with the files of those that are evaluated.</summary>
    public async Task<Outcome<IReadOnlyList<TaskInput>>> EvaluateAsync(WorkspaceRef workspace, JobPlan plan, IReadOnlyList<TaskInput> inputs, CancellationToken ct)
    {
        var evaluated = new List<TaskInput>();
        foreach (var input in inputs)
        {
            if (!plan.Inputs.TryGetValue(input.Name, out var planned) || !planned.IsEvaluated || planned.Blob is not { } folder)
            {
                evaluated.Add(input);
            }
            else if ((await FilesAsync(workspace, folder, ct)).TryGet(out var files, out var problem))
            {
                evaluated.Add(input with { LocalPath = null, Files = files });
            }
            else
            {
                return problem with { Target = "inputs." + input.Name };
            }
        }

        return evaluated;
    }

    private async Task<Outcome<IReadOnlyList<TaskInputFile>>> FilesAsync(WorkspaceRef workspace, BlobAddress folder, CancellationToken ct)
    {
        await using var stream = await store.OpenReadAsync(folder.Child("MLTable"), ct);
        if (stream is null || stream.Length > LongestText)
        {
            return Missing(stream is null ? $"there is no file MLTable in {folder}" : "the file MLTable is larger than 1 MiB");
        }

        using var reader = new StreamReader(stream);
        if (!MltableFile.Read(await reader.ReadToEndAsync(ct)).TryGet(out var table, out var wrong))
        {
            return wrong;
        }

        var files = new Dictionary<string, TaskInputFile>(StringComparer.Ordinal);
        foreach (var path in table.Paths)
        {
            if (await AddAsync(files, path, (workspace, folder), ct) is { } problem)
            {
                return problem;
            }
        }

        return files.Values.ToArray();
    }

    private async Task<Problem?> AddAsync(Dictionary<string, TaskInputFile> files, MltablePath path, (WorkspaceRef Workspace, BlobAddress Folder) at, CancellationToken ct)
    {
        var (value, glob) = path.Kind == "pattern" ? Split(path.Value) : (path.Value, null);
        if (!(await PlaceAsync(value, at.Workspace, at.Folder, ct)).TryGet(out var place, out var problem))
        {
            return problem;
        }

        var before = files.Count;
        if (path.Kind == "file")
        {
            Add(files, place);
        }
        else
        {
            var prefix = place.Name.Length == 0 ? "" : place.Name.TrimEnd('/') + "/";
            var matches = glob is null ? null : MltableFile.Glob(glob);
            string? next = null;
            do
            {
                var page = await store.ListAsync(place.At(prefix), PageSize, next, ct);
                foreach (var blob in page.Items.Where(blob => matches?.Invoke(blob.Name[prefix.Length..]) ?? true))
                {
                    Add(files, place.At(blob.Name));
                }

                next = page.Next;
            }
            while (next is not null && files.Count <= MostFiles);
        }

        return files.Count > MostFiles ? Missing($"the MLTable stands for more than {MostFiles} files")
            : files.Count == before && path.Kind != "pattern" ? Missing($"nothing lies at the {path.Kind} '{path.Value}' of the MLTable")
            : null;
    }

    private void Add(Dictionary<string, TaskInputFile> files, BlobAddress blob)
    {
        if (store.TryGetLocalPath(blob) is { } local && !local.EndsWith('/'))
        {
            var name = blob.ToString();
            files[name] = new TaskInputFile(name, local);
        }
    }

    /// <summary>The part of a pattern before its first wildcard, and the rest.</summary>
    private static (string Folder, string? Glob) Split(string pattern)
    {
        var wildcard = pattern.IndexOfAny(['*', '?']);
        var slash = pattern.LastIndexOf('/', wildcard < 0 ? pattern.Length - 1 : wildcard);
        return (slash < 0 ? "." : pattern[..slash], pattern[(slash + 1)..]);
    }

    private async Task<Outcome<BlobAddress>> PlaceAsync(string value, WorkspaceRef workspace, BlobAddress folder, CancellationToken ct)
    {
        if (value.Contains("://", StringComparison.Ordinal) || value.StartsWith("azureml:", StringComparison.OrdinalIgnoreCase))
        {
            return !(await uris.ResolveAsync(workspace, value, ct)).TryGet(out var found, out var problem) ? problem
                : found.Blob is { } blob ? new BlobAddress(blob.Account, blob.Container, blob.Path.TrimEnd('/'))
                : new Problem(ProblemKind.Unsupported, "OperationNotSupported", $"'{value}' of the MLTable lies outside this server, and is not fetched.");
        }

        var segments = new List<string>();
        foreach (var segment in value.Split('/').Where(segment => segment is not ("" or ".")))
        {
            if (segment == "..")
            {
                return new Problem(ProblemKind.Invalid, "InputNotUsable", $"'{value}' leads out of the folder of the MLTable: name it by its azureml:// address.");
            }

            segments.Add(segment);
        }

        return segments.Count == 0 ? folder : folder.Child(string.Join('/', segments));
    }

    private static Problem Missing(string why) => new(ProblemKind.Invalid, "InputNotFound", $"The MLTable cannot be evaluated: {why}.");
}
