using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Zaffre.Tests.Architecture;

/// <summary>A text file of the repository; <paramref name="Path"/> is relative to its root, with slashes.</summary>
public sealed record SourceFile(string Path, string Text)
{
    private static readonly CSharpParseOptions Options = new(LanguageVersion.Preview);

    private CompilationUnitSyntax? root;

    public CompilationUnitSyntax Root => root ??= (CompilationUnitSyntax)CSharpSyntaxTree.ParseText(Text, Options).GetRoot();

    public bool IsCSharp => Path.EndsWith(".cs", StringComparison.Ordinal);

    public bool IsGenerated => Path.EndsWith(".g.cs", StringComparison.Ordinal);

    public bool IsProduct => Path.StartsWith("src/", StringComparison.Ordinal);

    /// <summary>The module's name for files below <c>src/</c>, else empty.</summary>
    public string Module => IsProduct ? Path.Split('/')[1] : "";
}

/// <summary>What a rule found; <paramref name="Where"/> is a path, with the member when the rule is about one.</summary>
public sealed record Violation(string Rule, string Where, string What)
{
    public override string ToString() => $"{Where}: {What} ({Rule})";
}

/// <summary>The repository's own files.</summary>
internal static class Repository
{
    private static readonly string[] Folders = ["src", "tests", "tools", "benchmarks", "python", "examples", ".ci"];

    private static readonly string[] Kinds = [".cs", ".csproj", ".py", ".sh", ".ts", ".tsx", ".sql"];

    private static readonly Lazy<IReadOnlyList<SourceFile>> Sources = new(() => Read().ToList());

    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<SourceFile> Files => Sources.Value;

    public static IEnumerable<SourceFile> CSharp => Files.Where(file => file.IsCSharp && !file.IsGenerated);

    private static IEnumerable<SourceFile> Read() =>
        from folder in Folders
        let path = Path.Combine(Root, folder)
        where Directory.Exists(path)
        from file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
        let relative = Path.GetRelativePath(Root, file).Replace('\\', '/')
        where Kinds.Contains(Path.GetExtension(file), StringComparer.Ordinal)
            && !relative.Split('/').Any(part => part is "bin" or "obj" or "node_modules" or "__pycache__")
        orderby relative
        select new SourceFile(relative, File.ReadAllText(file));

    private static string FindRoot()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Zaffre.slnx")))
        {
            at = at.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return at.FullName;
    }
}
