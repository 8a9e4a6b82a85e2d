namespace Zaffre.Kernel;

/// <summary>One page of a keyset-paged list; <paramref name="Next"/> is the opaque continuation, null at the end.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);
