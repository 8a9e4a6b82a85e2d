using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Zaffre.Kernel;

namespace Zaffre.Database;

/// <summary>Registers the database, the event log and its sealer.</summary>
public static class DatabaseModule
{
    /// <summary>The SQLite database under the data directory, the event log and the sealer.</summary>
    public static IServiceCollection AddDatabase(this IServiceCollection services)
    {
        services.AddSingleton(new MigrationSource(typeof(DatabaseModule).Assembly, "Database"));
        services.AddSingleton<DatabaseParts>();
        services.AddSingleton<EventSignal>();
        services.AddSingleton(provider => new SqliteDatabase(
            provider.GetRequiredService<DataDirectory>(),
            provider.GetRequiredService<DatabaseParts>(),
            (provider.GetRequiredService<EventSignal>(), [.. provider.GetServices<ICommitListener>()]),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SqliteDatabase>>()));
        services.AddSingleton<IDatabase>(provider => provider.GetRequiredService<SqliteDatabase>());
        services.AddSingleton<IEventLog, EventLog>();
        services.AddSingleton(provider => SealFile.Open(provider.GetRequiredService<DataDirectory>()));
        services.AddSingleton<IHostedService, EventSealer>();
        return services;
    }

    /// <summary>
    /// Registers the numbered SQL files that the assembly of <typeparamref name="TModule"/> embeds from <c>Data/Migrations</c>.
    /// They run once each, in order, before the database is first used; modules run in the order of their registration.
    /// </summary>
    public static IServiceCollection AddMigrations<TModule>(this IServiceCollection services)
    {
        var assembly = typeof(TModule).Assembly;
        var module = assembly.GetName().Name!.Split('.')[^1];
        return services.AddSingleton(new MigrationSource(assembly, module));
    }
}
