namespace Zaffre.Tests.Unit;

/// <summary>Tests that count what the whole process holds open, or whose outcome depends on times of a second: they run while no other does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Alone
{
    public const string Name = "alone";
}
