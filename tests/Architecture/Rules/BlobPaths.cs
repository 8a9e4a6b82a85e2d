using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Zaffre.Tests.Architecture.Rules;

/// <summary>
/// Files below <c>blobs/</c> are written by jobs too, so every open goes through one class that follows no link. In Storage the
/// framework's file types are banned outside its <c>Files</c> folder; elsewhere nobody may build such a path.
/// </summary>
internal static class BlobPaths
{
    private const string Gate = "src/Storage/Files/";

    private static readonly string[] FileTypes = ["File", "Directory", "FileStream", "FileInfo", "DirectoryInfo", "StreamReader", "StreamWriter", "FileSystemWatcher"];

    public static IEnumerable<Violation> Check(IEnumerable<SourceFile> files) =>
        files.Where(file => file.IsProduct).SelectMany(file => file.Module.Split('.')[0] == "Storage" ? InStorage(file) : Elsewhere(file));

    private static IEnumerable<Violation> InStorage(SourceFile file) =>
        file.Path.StartsWith(Gate, StringComparison.Ordinal)
            ? []
            : from node in file.Root.DescendantNodes()
              let name = node switch
              {
                  MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax type } => type.Identifier.Text,
                  ObjectCreationExpressionSyntax { Type: IdentifierNameSyntax type } => type.Identifier.Text,
                  _ => null,
              }
              where name is not null && FileTypes.Contains(name, StringComparer.Ordinal)
              select new Violation("blob-paths", $"{file.Path}:{Line(node)}", $"{name} outside {Gate}");

    private static IEnumerable<Violation> Elsewhere(SourceFile file) =>
        from literal in file.Root.DescendantNodes().OfType<LiteralExpressionSyntax>()
        where literal.IsKind(SyntaxKind.StringLiteralExpression)
            && (literal.Token.ValueText == "blobs" || literal.Token.ValueText.StartsWith("blobs/", StringComparison.Ordinal))
        select new Violation("blob-paths", $"{file.Path}:{Line(literal)}", "builds a path below blobs/: ask IBlobStore");

    private static int Line(SyntaxNode node) => node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
}
