using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Zaffre.Tests.Architecture.Rules;

/// <summary>How long files and methods, and how many their parameters, may become before they are split.</summary>
internal static class Sizes
{
    public const int FileLines = 400;

    public const int MethodLines = 60;

    public const int Parameters = 6;

    public static IEnumerable<Violation> Check(IEnumerable<SourceFile> files) =>
        files.Where(file => !file.IsGenerated).SelectMany(file => file.IsCSharp ? OfFile(file).Concat(OfMembers(file)) : OfFile(file));

    private static IEnumerable<Violation> OfFile(SourceFile file)
    {
        var lines = file.Text.AsSpan().TrimEnd().Count('\n') + 1;
        if (lines > FileLines)
        {
            yield return new Violation("file-lines", file.Path, $"{lines} lines, at most {FileLines}");
        }
    }

    private static IEnumerable<Violation> OfMembers(SourceFile file)
    {
        foreach (var node in file.Root.DescendantNodes())
        {
            var where = $"{file.Path}:{NameOf(node)}";
            if (node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax && Lines(node) is var lines and > MethodLines)
            {
                yield return new Violation("method-lines", where, $"{lines} lines, at most {MethodLines}");
            }

            if (ParametersOf(node) is { } parameters && parameters.Parameters.Count > Parameters)
            {
                yield return new Violation("parameters", where, $"{parameters.Parameters.Count} parameters, at most {Parameters}");
            }
        }
    }

    private static int Lines(SyntaxNode node)
    {
        var span = node.SyntaxTree.GetLineSpan(node.Span);
        return span.EndLinePosition.Line - span.StartLinePosition.Line + 1;
    }

    private static ParameterListSyntax? ParametersOf(SyntaxNode node) => node switch
    {
        BaseMethodDeclarationSyntax method => method.ParameterList,
        LocalFunctionStatementSyntax function => function.ParameterList,
        // A record's list is data: a row is as wide as its table.
        RecordDeclarationSyntax => null,
        TypeDeclarationSyntax type => type.ParameterList,
        DelegateDeclarationSyntax type => type.ParameterList,
        _ => null,
    };

    private static string NameOf(SyntaxNode node) => node switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.Text,
        LocalFunctionStatementSyntax function => function.Identifier.Text,
        TypeDeclarationSyntax type => type.Identifier.Text,
        DelegateDeclarationSyntax type => type.Identifier.Text,
        AccessorDeclarationSyntax accessor => accessor.Keyword.Text,
        _ => "",
    };
}
