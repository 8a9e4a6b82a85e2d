using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;

namespace Zaffre.Tests.Unit.Database;

/// <summary>A real database in a folder of its own.</summary>
public sealed class DatabaseFixture : IDisposable
{
    private ServiceProvider services;

    public DatabaseFixture() => services = Open();

    public string Root { get; } = Directory.CreateTempSubdirectory("zaffre-unit-").FullName;

    public IDatabase Database => services.GetRequiredService<IDatabase>();

    public IEventLog Events => services.GetRequiredService<IEventLog>();

    public IResources Resources => services.GetRequiredService<IResources>();

    internal SealFile Seals => services.GetRequiredService<SealFile>();

    public void Reopen()
    {
        services.Dispose();
        services = Open();
    }

    public void Dispose()
    {
        services.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private ServiceProvider Open() => new ServiceCollection()
        .AddSingleton(new DataDirectory(Root))
        .AddSingleton(TimeProvider.System)
        .AddLogging(logging => logging.SetMinimumLevel(LogLevel.None))
        .AddDatabase()
        .AddResources()
        .BuildServiceProvider();
}
