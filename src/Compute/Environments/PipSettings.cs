using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>
/// How pip finds packages here: as the operator told this server (its own <c>PIP_*</c> and proxy variables; <c>/etc/pip.conf</c> is seen by tasks as it is),
/// and the folder <c>wheels</c> of the data directory. Nothing names an index.
/// </summary>
internal sealed class PipSettings(DataDirectory data, Func<IReadOnlyDictionary<string, string>>? variables = null)
{
    // These say where to install or write on the operator's behalf, which in a task is not the operator's to say.
    private static readonly HashSet<string> Places = new(StringComparer.Ordinal)
    {
        "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_SRC", "PIP_LOG", "PIP_CACHE_DIR", "PIP_PYTHON", "PIP_REQUIREMENT", "PIP_EDITABLE",
    };

    private static readonly string[] Proxies = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];

    private readonly Func<IReadOnlyDictionary<string, string>> own = variables ?? OfProcess;

    /// <summary>Where people without an index put wheels; searched beside any index.</summary>
    public string Wheels => data.Path("wheels");

    /// <summary>The folder of wheels as a bind, when there is one.</summary>
    public IEnumerable<TaskBind> Binds => Directory.Exists(Wheels) ? [new TaskBind(Wheels, Wheels)] : [];

    /// <summary>The variables of every pip that a task runs.</summary>
    public Dictionary<string, string> Variables()
    {
        var server = own();
        var found = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1",
            ["PIP_NO_CACHE_DIR"] = "1",
            ["PIP_NO_INPUT"] = "1",
            ["PIP_PROGRESS_BAR"] = "off",
            ["PIP_RETRIES"] = "1",
            ["PIP_DEFAULT_TIMEOUT"] = "15",
            ["PIP_BREAK_SYSTEM_PACKAGES"] = "1",
        };
        foreach (var (name, value) in server.Where(v => v.Key.StartsWith("PIP_", StringComparison.Ordinal) && !Places.Contains(v.Key)))
        {
            found[name] = value;
        }

        if (Directory.Exists(Wheels))
        {
            found["PIP_FIND_LINKS"] = $"{new Uri(Wheels + "/").AbsoluteUri} {found.GetValueOrDefault("PIP_FIND_LINKS")}".Trim();
        }

        if (Proxy(server, found) is { } proxy)
        {
            found.TryAdd("PIP_PROXY", proxy);
        }

        return found;
    }

    // As an option of pip, so that nothing else of the task goes through the operator's proxy. An index that the operator reaches directly stays so.
    private static string? Proxy(IReadOnlyDictionary<string, string> server, Dictionary<string, string> pip) =>
        Uri.TryCreate(pip.GetValueOrDefault("PIP_INDEX_URL"), UriKind.Absolute, out var index) && IsDirect(index.Host, Value(server, "NO_PROXY"))
            ? null
            : Proxies.Select(name => Value(server, name)).FirstOrDefault(value => value is { Length: > 0 });

    private static bool IsDirect(string host, string? exceptions) => (exceptions ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Any(entry => entry == "*" || host.Equals(entry, StringComparison.OrdinalIgnoreCase) || host.EndsWith("." + entry.TrimStart('.'), StringComparison.OrdinalIgnoreCase));

    // Both spellings are in use.
    private static string? Value(IReadOnlyDictionary<string, string> server, string name) => server.GetValueOrDefault(name) ?? server.GetValueOrDefault(name.ToLowerInvariant());

    private static Dictionary<string, string> OfProcess() => Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
        .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
}
