using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Recording.Capture;

namespace Zaffre.Recording;

/// <summary>The traffic recorder. A server that does not record registers nothing of it.</summary>
public static class RecordingModule
{
    /// <summary>
    /// Records every request of this server from the outside of all other middleware, so it must be registered first. Opens the first file at once:
    /// throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> when the folder cannot be written.
    /// </summary>
    public static IServiceCollection AddRecording(this IServiceCollection services, RecordingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var files = new RecordingWriter(options, TimeProvider.System.GetUtcNow());
        services.AddSingleton(options);
        services.AddSingleton(files);
        services.AddSingleton<Recorder>();
        services.AddHostedService(provider => provider.GetRequiredService<Recorder>());
        services.AddSingleton<IStartupFilter, RecordingMiddleware>();
        return services;
    }
}
