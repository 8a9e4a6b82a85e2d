namespace Zaffre.Compute;

/// <summary>
/// What making an environment real would take. <paramref name="State"/>: <c>ready</c> (this host has what is declared), <c>built</c> (in the cache, under <paramref name="Key"/>),
/// <c>building</c>, <c>build</c> (a virtual environment with <paramref name="Missing"/> would be built first), <c>container</c>, or <c>failed</c>, when it cannot become real or the last
/// build did not; then <paramref name="Detail"/> says why.
/// </summary>
public sealed record EnvironmentForecast(string State, string Detail, string? Key, IReadOnlyList<string> Missing);

/// <summary>Tells how environments would become real, without making them so: nothing is built, fetched or written. Thread safe.</summary>
public interface IEnvironmentForecasts
{
    /// <summary>What <see cref="IEnvironments.ResolveAsync"/> would come to for the same request.</summary>
    Task<EnvironmentForecast> ForeseeAsync(EnvironmentRequest request, CancellationToken ct);
}
