namespace Zaffre.Tracking.Mlflow;

/// <summary>Spells routes: the API is served under <c>/api/2.0/mlflow</c>, and for the UI's sake under <c>/ajax-api/2.0/mlflow</c>.</summary>
internal static class Routes
{
    /// <summary>Each path under both prefixes.</summary>
    public static IReadOnlyList<string> Of(string methods, params string[] paths) =>
        [.. paths.SelectMany(path => new[] { $"{methods} /api/2.0/mlflow/{path}", $"{methods} /ajax-api/2.0/mlflow/{path}" })];
}
