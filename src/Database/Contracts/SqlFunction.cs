namespace Zaffre.Database;

/// <summary>
/// A function that SQL of a module may call: two texts in, a text, an integer or null out. Deterministic, thread safe and quick: it runs once for each row that is
/// looked at. What it throws fails the statement. Registered as a service before the database is first used.
/// </summary>
/// <param name="Name">How SQL calls it, in lower case. <c>regexp</c> is the operator REGEXP, whose first argument is the pattern.</param>
/// <param name="Compute">Null stands for SQL's NULL.</param>
public sealed record SqlFunction(string Name, Func<string?, string?, object?> Compute);
