namespace Zaffre.Kernel;

/// <summary>Which text a header of an HTTP answer can carry.</summary>
public static class HeaderText
{
    /// <summary>True for printable ASCII. The HTTP server fails an answer with anything else in a header.</summary>
    public static bool CanCarry(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');
}
