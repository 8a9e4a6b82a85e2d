using System.Text.RegularExpressions;

namespace Zaffre.Gateway.Onnx;

/// <summary>What of a <c>config.pbtxt</c> decides which files are served. The model's own inputs and outputs are taken from the model.</summary>
internal sealed partial class TritonConfig
{
    private List<long>? specific;
    private bool all;
    private int latest = 1;

    public string? Name { get; private set; }

    /// <summary>The backend, or the platform that stands for it; null when neither is said.</summary>
    public string? Backend { get; private set; }

    public string File { get; private set; } = "model.onnx";

    /// <summary>Reads the file; one that is not there says nothing. Throws <see cref="ModelException"/> when it is no text of a protocol buffer.</summary>
    public static TritonConfig Read(string path)
    {
        var config = new TritonConfig();
        if (System.IO.File.Exists(path))
        {
            var tokens = new Queue<string>(Tokens().Matches(System.IO.File.ReadAllText(path)).Select(m => m.Value).Where(t => !t.StartsWith('#') && t is not ("," or ";")));
            try
            {
                config.ReadMessage(tokens, "");
            }
            catch (Exception e) when (e is FormatException or InvalidOperationException or OverflowException or RegexMatchTimeoutException)
            {
                throw new ModelException("InvalidModel", $"{Path.GetFileName(Path.GetDirectoryName(path))}/config.pbtxt cannot be read: {e.Message}");
            }
        }

        return config;
    }

    /// <summary>The versions that the policy serves, of those that are there, newest first. Without a policy the newest.</summary>
    public IReadOnlyList<long> Choose(IReadOnlyList<long> present) =>
        all ? present : specific is { } named ? [.. present.Where(named.Contains)] : [.. present.Take(latest)];

    private void ReadMessage(Queue<string> tokens, string within)
    {
        while (tokens.TryDequeue(out var name))
        {
            if (name == "}")
            {
                return;
            }

            var path = within.Length == 0 ? name : $"{within}.{name}";
            if (tokens.Peek() == ":")
            {
                tokens.Dequeue();
            }

            switch (tokens.Dequeue())
            {
                case "{":
                    Begin(path);
                    ReadMessage(tokens, path);
                    break;
                case "[":
                    ReadList(tokens, path);
                    break;
                case var value:
                    Take(path, value.Trim('"', '\''));
                    break;
            }
        }

        if (within.Length > 0)
        {
            throw new FormatException($"'{within}' is not closed.");
        }
    }

    private void ReadList(Queue<string> tokens, string path)
    {
        while (tokens.Dequeue() is var token && token != "]")
        {
            if (token == "{")
            {
                ReadMessage(tokens, path);
            }
            else
            {
                Take(path, token.Trim('"', '\''));
            }
        }
    }

    private void Begin(string path) => all |= path == "version_policy.all";

    private void Take(string path, string value)
    {
        switch (path)
        {
            case "name":
                Name = value;
                break;
            case "backend":
                Backend = value;
                break;
            case "platform":
                Backend ??= value;
                break;
            case "default_model_filename":
                File = value.Length > 0 && !value.Contains('/', StringComparison.Ordinal) ? value : throw new FormatException("default_model_filename must be the name of a file.");
                break;
            case "version_policy.specific.versions":
                (specific ??= []).Add(long.Parse(value, System.Globalization.CultureInfo.InvariantCulture));
                break;
            case "version_policy.latest.num_versions":
                latest = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture);
                break;
        }
    }

    [GeneratedRegex("""#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{}\[\]:,;]|[^\s{}\[\]:,;#"']+""", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 2000)]
    private static partial Regex Tokens();
}
