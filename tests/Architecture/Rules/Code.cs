using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Zaffre.Tests.Architecture.Rules;

/// <summary>Constructs that this code base does without.</summary>
internal static class Code
{
    private static readonly string[] Clocks = ["DateTime.Now", "DateTime.UtcNow", "DateTime.Today", "DateTimeOffset.Now", "DateTimeOffset.UtcNow"];

    private static readonly string[] Vague = ["Manager", "Helper", "Helpers", "Util", "Utils", "Impl"];

    /// <summary>Time comes from <see cref="TimeProvider"/>, so that tests can turn it.</summary>
    public static IEnumerable<Violation> Clock(IEnumerable<SourceFile> files) =>
        from file in files
        where file.IsProduct
        from access in file.Root.DescendantNodes().OfType<MemberAccessExpressionSyntax>()
        let text = access.ToString()
        where Clocks.Any(clock => text == clock || text == "System." + clock)
        select new Violation("clock", At(file, access), $"{text}: take TimeProvider");

    /// <summary>An exception out of an <c>async void</c> ends the process.</summary>
    public static IEnumerable<Violation> AsyncVoid(IEnumerable<SourceFile> files) =>
        from file in files
        from node in file.Root.DescendantNodes()
        let signature = node switch
        {
            MethodDeclarationSyntax method => (method.Modifiers, method.ReturnType),
            LocalFunctionStatementSyntax function => (function.Modifiers, function.ReturnType),
            _ => default((SyntaxTokenList Modifiers, TypeSyntax ReturnType)?),
        }
        where signature is { } found && found.Modifiers.Any(SyntaxKind.AsyncKeyword) && found.ReturnType.ToString() == "void"
        select new Violation("async-void", At(file, node), "async void");

    /// <summary>Blocking on a task starves the thread pool.</summary>
    public static IEnumerable<Violation> Blocking(IEnumerable<SourceFile> files) =>
        from file in files
        where file.IsProduct
        from call in file.Root.DescendantNodes().OfType<InvocationExpressionSyntax>()
        where call.Expression is MemberAccessExpressionSyntax { Name.Identifier.Text: "GetResult", Expression: InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Name.Identifier.Text: "GetAwaiter" } } }
        select new Violation("blocking", At(file, call), "waits for a task synchronously");

    /// <summary>A swallowed exception says why: a comment inside is enough, nothing is not.</summary>
    public static IEnumerable<Violation> EmptyCatch(IEnumerable<SourceFile> files) =>
        from file in files
        from clause in file.Root.DescendantNodes().OfType<CatchClauseSyntax>()
        where clause.Block.Statements.Count == 0 && !clause.Block.DescendantTrivia().Any(trivia => trivia.IsKind(SyntaxKind.SingleLineCommentTrivia))
        select new Violation("empty-catch", At(file, clause), "an empty catch without a reason");

    /// <summary>A test that is skipped or cannot fail is none.</summary>
    public static IEnumerable<Violation> Skipped(IEnumerable<SourceFile> files) =>
        from file in files
        from node in file.Root.DescendantNodes()
        where node is AttributeArgumentSyntax { NameEquals.Name.Identifier.Text: "Skip" } || node.ToString() == "Assert.True(true)"
        select new Violation("skipped", At(file, node), "a skipped or empty test");

    /// <summary>Names say what a thing is.</summary>
    public static IEnumerable<Violation> Names(IEnumerable<SourceFile> files) =>
        from file in files
        from type in file.Root.DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
        let name = type.Identifier.Text
        where Vague.Any(ending => name.EndsWith(ending, StringComparison.Ordinal))
        select new Violation("names", file.Path, $"{name} does not say what it is");

    /// <summary>Every file parses; else the other rules would look at half of it.</summary>
    public static IEnumerable<Violation> Parses(IEnumerable<SourceFile> files) =>
        from file in files
        let error = file.Root.GetDiagnostics().FirstOrDefault(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
        where error is not null
        select new Violation("parses", file.Path, error.GetMessage());

    private static string At(SourceFile file, SyntaxNode node) => $"{file.Path}:{node.GetLocation().GetLineSpan().StartLinePosition.Line + 1}";
}
