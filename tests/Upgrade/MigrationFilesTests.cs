using System.Globalization;

namespace Zaffre.Tests.Upgrade;

/// <summary>Migrations are found by their numbers, so the numbers of a module have no gap and no twin.</summary>
public sealed class MigrationFilesTests
{
    [Fact]
    public void Every_module_numbers_its_migrations_without_gaps()
    {
        var modules = Directory.EnumerateDirectories(Path.Combine(Zaffre.Root, "src"))
            .Select(module => Path.Combine(module, "Data/Migrations"))
            .Where(Directory.Exists)
            .ToList();

        Assert.NotEmpty(modules);
        Assert.All(modules, module => Assert.True(AreConsecutive(Directory.EnumerateFiles(module, "*.sql").Select(path => Path.GetFileName(path)!)), module));
    }

    [Theory]
    [InlineData("0001_a.sql 0002_b.sql", true)]
    [InlineData("0001_a.sql 0003_b.sql", false)]
    [InlineData("0001_a.sql 0001_b.sql", false)]
    [InlineData("0002_a.sql", false)]
    [InlineData("1_a.sql", false)]
    public void A_gap_or_a_twin_is_found(string names, bool consecutive) => Assert.Equal(consecutive, AreConsecutive(names.Split(' ')));

    private static bool AreConsecutive(IEnumerable<string> names) =>
        names.Order(StringComparer.Ordinal)
            .Select((name, index) => name.StartsWith((index + 1).ToString("0000_", CultureInfo.InvariantCulture), StringComparison.Ordinal))
            .All(fits => fits);
}
