namespace Zaffre.Tests.Clients;

/// <summary>
/// What a test found out about a call of an official client. <c>./zaffre test</c> writes <c>docs/compatibility.md</c> from these
/// lines, so record only after the assertions. Scripts in Python use <c>python/compatibility.py</c>.
/// </summary>
internal static class Compatibility
{
    /// <summary>The client did it, and the test checked what came of it.</summary>
    public static void Behaves(string client, params ReadOnlySpan<string> operations) => Record(client, "behaves", operations);

    /// <summary>The document is kept and returned; nothing acts on it.</summary>
    public static void StoredOnly(string client, params ReadOnlySpan<string> operations) => Record(client, "stored-only", operations);

    /// <summary>Answered with a 4xx that names what is not supported.</summary>
    public static void Refused(string client, params ReadOnlySpan<string> operations) => Record(client, "refused", operations);

    /// <summary>This version of the client cannot make the call.</summary>
    public static void NotCallable(string client, params ReadOnlySpan<string> operations) => Record(client, "not callable", operations);

    private static void Record(string client, string verdict, ReadOnlySpan<string> operations)
    {
        if (Environment.GetEnvironmentVariable("ZAFFRE_COMPATIBILITY") is not { Length: > 0 } file)
        {
            return;
        }

        foreach (var operation in operations)
        {
            File.AppendAllText(file, $"{client}\t{operation}\t{verdict}\n");
        }
    }
}
