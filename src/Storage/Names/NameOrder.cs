namespace Zaffre.Storage.Names;

/// <summary>Orders names by code point, which is the byte order of their UTF-8 form and of SQLite.</summary>
internal sealed class NameOrder : IComparer<string>
{
    public static NameOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        if (x is null || y is null)
        {
            return x is null ? (y is null ? 0 : -1) : 1;
        }

        var common = x.AsSpan().CommonPrefixLength(y);
        return common < x.Length && common < y.Length
            ? Weight(x[common]).CompareTo(Weight(y[common]))
            : x.Length.CompareTo(y.Length);
    }

    // UTF-16 puts surrogates below U+E000..U+FFFF; by code point they come last.
    private static int Weight(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
