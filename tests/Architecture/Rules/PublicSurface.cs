using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Zaffre.Tests.Architecture.Rules;

/// <summary>
/// What a module shows lies in its <c>Contracts/</c> folder; besides it, only the class that registers the module is public.
/// Kernel and the generated records are contracts altogether.
/// </summary>
internal static class PublicSurface
{
    public static IEnumerable<Violation> Check(IEnumerable<SourceFile> files) =>
        from file in files
        where file.IsCSharp && file.IsProduct && !file.IsGenerated && file.Module != "Kernel" && file.Path.Split('/')[2] != "Contracts"
        from type in file.Root.DescendantNodes(node => node is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax).OfType<MemberDeclarationSyntax>()
        where type.Modifiers.Any(SyntaxKind.PublicKeyword) && Name(type) is { } name && name != file.Module + "Module"
        select new Violation("public-surface", file.Path, $"{Name(type)} is public outside Contracts/");

    private static string? Name(MemberDeclarationSyntax member) => member switch
    {
        BaseTypeDeclarationSyntax type => type.Identifier.Text,
        DelegateDeclarationSyntax type => type.Identifier.Text,
        _ => null,
    };
}
