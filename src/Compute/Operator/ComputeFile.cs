using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;
using Zaffre.Kernel;

namespace Zaffre.Compute.Operator;

/// <summary>A size of nodes as the operator describes it: what a node of it may use of this host.</summary>
internal sealed record ComputeSize(string Name, int Cores, int MemoryGb, int Gpus)
{
    /// <summary>Price of a node for an hour.</summary>
    public decimal Hour { get; init; }

    /// <summary>Whether a node keeps its memory of this host for itself: then only as many run at once as the host has memory for.</summary>
    public bool Reserves { get; init; }

    /// <summary>What a name means that nobody describes: the whole host, without promises.</summary>
    public static ComputeSize WholeHost { get; } = new("", 0, 0, 0);
}

/// <summary>Attached machines (by resource id, <c>*</c> for anything) that are this host: tasks of theirs run here, so many at once, within the size.</summary>
internal sealed record AttachedHost(string Resource, string? Size, int Places);

/// <summary>When an environment runs in a container of its image instead of on the host's own system.</summary>
internal enum ContainerUse
{
    /// <summary>Never: the host stands in for every image, and build contexts are refused.</summary>
    Never,

    /// <summary>Whenever the environment has an image or a build context; where no engine works, such a job is refused.</summary>
    Always,
}

/// <summary>How images become containers here.</summary>
internal sealed record ContainerSettings
{
    public ContainerUse Use { get; init; }

    /// <summary>The computes on which <see cref="ContainerUse.Always"/> holds; empty: on all.</summary>
    public IReadOnlyList<string> Computes { get; init; } = [];

    /// <summary>Program that has the images, <c>podman</c> or <c>docker</c> or the path of one; null: the first of the two that is installed.</summary>
    public string? Engine { get; init; }

    /// <summary>Arguments that stand before every command of the engine, such as <c>--root DIR</c>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Whether an image that the engine lacks is pulled.</summary>
    public bool Pull { get; init; }

    /// <summary>Whether build contexts are built; their instructions run with the rights that the engine gives them.</summary>
    public bool Build { get; init; }

    /// <summary>Arguments of the engine's <c>build</c>.</summary>
    public IReadOnlyList<string> BuildArguments { get; init; } = [];

    public bool Covers(string? compute) => Use == ContainerUse.Always && compute is not null
        && (Computes.Count == 0 || Computes.Contains(compute, StringComparer.OrdinalIgnoreCase));
}

/// <summary>What <c>compute.yml</c> of the data directory says.</summary>
internal sealed record ComputeConfiguration
{
    public IReadOnlyList<ComputeSize> Sizes { get; init; } = [];

    public ContainerSettings Containers { get; init; } = new();

    public IReadOnlyList<AttachedHost> Attached { get; init; } = [];

    /// <summary>Null: nothing has a price.</summary>
    public PriceTable? Prices { get; init; }
}

/// <summary>Prices beside those of the sizes: of an hour of a processor, of a gigabyte of memory for an hour, of an hour of a GPU.</summary>
internal sealed record PriceTable(string Currency, decimal CpuHour, decimal MemoryGbHour, decimal GpuHour);

/// <summary>The operator's file <c>compute.yml</c> in the data directory; read again when it changes. Everything wrong with it is reported at once, with lines.</summary>
internal sealed class ComputeFile(DataDirectory data)
{
    private const string Name = "compute.yml";
    private const string DefaultCurrency = "USD";
    private const int MostGpus = 64;
    private const int MostPlaces = 1000;
    private const int MostCores = 4096;
    private const int MostMemoryGb = 1 << 20;

    private readonly Lock gate = new();
    private (DateTime Written, long Length, Outcome<ComputeConfiguration> Content)? known;

    /// <summary>What it says now; defaults where there is none.</summary>
    public Outcome<ComputeConfiguration> Read()
    {
        var file = new FileInfo(data.Path(Name));
        lock (gate)
        {
            var (written, length) = file.Exists ? (file.LastWriteTimeUtc, file.Length) : (default, -1);
            if (known is not { } present || present.Written != written || present.Length != length)
            {
                known = (written, length, file.Exists ? Parse(File.ReadAllText(file.FullName)) : new ComputeConfiguration());
            }

            return known.Value.Content;
        }
    }

    /// <summary>Reads a text of that form.</summary>
    internal static Outcome<ComputeConfiguration> Parse(string text)
    {
        var problems = new List<string>();
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            var configuration = yaml.Documents.Count == 0 ? new ComputeConfiguration() : Root(new Section(yaml.Documents[0].RootNode, problems));
            return problems.Count == 0 ? configuration : Wrong(string.Join("; ", problems));
        }
        catch (YamlException e)
        {
            return Wrong(string.Create(CultureInfo.InvariantCulture, $"line {e.Start.Line}: {e.Message}"));
        }
    }

    private static ComputeConfiguration Root(Section root)
    {
        var sizes = root.List("sizes").Select(item => new Section(item, root.Problems)).Select(size =>
        {
            var read = new ComputeSize(size.Text("name") ?? "", size.Number("cores", 1, MostCores, 1), size.Number("memory_gb", 1, MostMemoryGb, 1), size.Number("gpus", 0, MostGpus, 0))
            {
                Hour = size.Price("hour"),
                Reserves = size.Choice("reserve", ("false", false), ("true", true)),
            };
            size.Need("name", "cores", "memory_gb");
            size.Done();
            return read;
        }).ToList();
        var attached = root.List("attached").Select(item => new Section(item, root.Problems)).Select(host =>
        {
            var read = new AttachedHost(host.Text("resource") ?? "", host.Text("size"), host.Number("places", 1, MostPlaces, 1));
            host.Need("resource");
            host.Done();
            return read;
        }).ToList();
        var containers = root.Map("containers") is { } section ? Containers(section) : new ContainerSettings();
        var prices = root.Map("prices") is { } table ? Prices(table) : sizes.Any(size => size.Hour > 0) ? new PriceTable(DefaultCurrency, 0, 0, 0) : null;
        root.Done();
        return new ComputeConfiguration { Sizes = sizes, Containers = containers, Attached = attached, Prices = prices };
    }

    private static ContainerSettings Containers(Section section)
    {
        var read = new ContainerSettings
        {
            Use = section.Choice("use", ("never", ContainerUse.Never), ("always", ContainerUse.Always)),
            Computes = section.Texts("computes"),
            Engine = section.Text("engine"),
            Arguments = section.Texts("arguments"),
            Pull = section.Choice("pull", ("false", false), ("true", true)),
            Build = section.Choice("build", ("false", false), ("true", true)),
            BuildArguments = section.Texts("build_arguments"),
        };
        section.Done();
        return read;
    }

    private static PriceTable Prices(Section section)
    {
        var read = new PriceTable(section.Text("currency") ?? DefaultCurrency, section.Price("cpu_hour"), section.Price("memory_gb_hour"), section.Price("gpu_hour"));
        section.Done();
        return read;
    }

    private static Problem Wrong(string why) => new(ProblemKind.Invalid, "InvalidComputeFile", $"The operator's file {Name} of the server's data directory cannot be read: {why}.");

    /// <summary>A mapping of the file; what is wrong with it goes into the list that all of them share.</summary>
    private sealed class Section(YamlNode node, List<string> problems)
    {
        private readonly YamlMappingNode map = node as YamlMappingNode ?? Empty(node, problems);
        private readonly HashSet<string> known = new(StringComparer.Ordinal);

        public List<string> Problems => problems;

        public string? Text(string name) => Find(name) switch
        {
            null => null,
            YamlScalarNode { Value: { Length: > 0 } text } => text,
            var other => Say<string?>(other, $"'{name}' must be a text"),
        };

        public int Number(string name, int least, int most, int otherwise) => Text(name) is not { } text ? otherwise
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number
            : Say<int>(Find(name)!, $"'{name}' must be a number from {least} to {most}");

        public decimal Price(string name) => Text(name) is not { } text ? 0
            : decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var price) ? price
            : Say<decimal>(Find(name)!, $"'{name}' must be a price such as 0.25");

        public T Choice<T>(string name, params ReadOnlySpan<(string Text, T Value)> choices)
        {
            var text = Text(name);
            foreach (var (choice, value) in choices)
            {
                if (text is null || choice == text)
                {
                    return value;
                }
            }

            var all = string.Join(" or ", choices.ToArray().Select(c => c.Text));
            return Say<T>(Find(name)!, $"'{name}' must be {all}") ?? choices[0].Value;
        }

        public IReadOnlyList<string> Texts(string name) => [.. List(name).Select(item => item is YamlScalarNode { Value: { } text } ? text : Say<string>(item, $"'{name}' must be a list of texts") ?? "")];

        public IEnumerable<YamlNode> List(string name) => Find(name) switch
        {
            null => [],
            YamlSequenceNode list => list.Children,
            var other => Say<YamlNode[]>(other, $"'{name}' must be a list") ?? [],
        };

        public Section? Map(string name) => Find(name) is { } found ? new Section(found, problems) : null;

        public void Need(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                if (Find(name) is null)
                {
                    Say<object>(map, $"'{name}' is missing");
                }
            }
        }

        public void Done()
        {
            foreach (var key in map.Children.Keys.Where(key => !known.Contains(key.ToString())))
            {
                Say<object>(key, $"'{key}' is not known here");
            }
        }

        private YamlNode? Find(string name)
        {
            known.Add(name);
            return map.Children.TryGetValue(new YamlScalarNode(name), out var found) ? found : null;
        }

        private T? Say<T>(YamlNode at, string what)
        {
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"line {at.Start.Line}: {what}"));
            return default;
        }

        private static YamlMappingNode Empty(YamlNode node, List<string> problems)
        {
            problems.Add(string.Create(CultureInfo.InvariantCulture, $"line {node.Start.Line}: a mapping is wanted"));
            return new YamlMappingNode();
        }
    }
}
