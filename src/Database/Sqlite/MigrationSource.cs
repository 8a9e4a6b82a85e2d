using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Zaffre.Database;

internal sealed record Migration(string Module, string Name, string Sql)
{
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql)));
}

/// <summary>The migrations that one module embeds.</summary>
internal sealed record MigrationSource(Assembly Assembly, string Module)
{
    public IEnumerable<Migration> Read()
    {
        var prefix = $"migration/{Module}/";
        foreach (var resource in Assembly.GetManifestResourceNames().Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(Assembly.GetManifestResourceStream(resource)!);
            yield return new Migration(Module, resource[prefix.Length..], reader.ReadToEnd());
        }
    }
}

/// <summary>Brings the schema to this build's version; refuses a data directory written by a newer build or with altered migrations.</summary>
internal static class Migrator
{
    public static void Apply(SqliteConnection connection, IEnumerable<MigrationSource> sources, DateTimeOffset now)
    {
        connection.Execute("CREATE TABLE IF NOT EXISTS migrations (module TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, applied INTEGER NOT NULL, PRIMARY KEY (module, name)) WITHOUT ROWID");
        var applied = connection.Query<(string Module, string Name, string Digest)>("SELECT module, name, digest FROM migrations")
            .ToDictionary(row => (row.Module, row.Name), row => row.Digest);
        foreach (var migration in sources.SelectMany(source => source.Read()))
        {
            if (applied.Remove((migration.Module, migration.Name), out var digest))
            {
                if (digest != migration.Digest)
                {
                    throw new InvalidOperationException($"Migration {migration.Module}/{migration.Name} differs from the one this data directory was made with. Restore the released file; a migration is never edited.");
                }

                continue;
            }

            using var transaction = connection.BeginTransaction();
            connection.Execute(migration.Sql, transaction: transaction);
            connection.Execute(
                "INSERT INTO migrations (module, name, digest, applied) VALUES (@Module, @Name, @Digest, @applied)",
                new { migration.Module, migration.Name, migration.Digest, applied = now.ToUnixTimeMilliseconds() },
                transaction);
            transaction.Commit();
        }

        if (applied.Count > 0)
        {
            throw new InvalidOperationException($"This data directory was written by a newer Zaffre (it has the migration {applied.Keys.First().Module}/{applied.Keys.First().Name}). Start that version, or restore a backup.");
        }
    }
}
