using FsCheck;
using FsCheck.Fluent;

namespace Zaffre.Tests.Unit.Storage;

/// <summary>Generates blob names that are likely to break a mapping to files.</summary>
internal static class BlobNames
{
    private static readonly string[] Pieces =
    [
        "a", "b", "A", ".", "..", "", "~zf.", "~zf.q", "~zf.+", "~zf.f", "~zf.fa", "~zf.qa", "~", "%2F", "a.txt", "a b", "é", "漢字", "😀", "\uffee", "\u0001",
        new('x', 85), new('y', 250), new('y', 251), new('z', 255), new('w', 256), new('漢', 90), string.Concat(Enumerable.Repeat("😀", 70)), "~zf.+" + new string('x', 250),
    ];

    public static Gen<string> Names { get; } =
        from count in Gen.Frequency((8, Gen.Choose(1, 4)), (1, Gen.Choose(5, 20)))
        from parts in Gen.ArrayOf(Gen.Frequency((5, Gen.Elements("a", "b", "a.txt", "c")), (4, Gen.Elements(Pieces)), (2, TwoPieces)), count)
        let name = string.Join('/', parts)
        select name.Length is 0 or > 1024 ? "a" : name;

    private static Gen<string> TwoPieces => from x in Gen.Elements(Pieces) from y in Gen.Elements(Pieces) select x + y;
}
