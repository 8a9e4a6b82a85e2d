namespace Zaffre.Cli.Mlflow;

/// <summary>The SQLite schema of MLflow that an export writes.</summary>
internal static class MlflowSchema
{
    /// <summary>Its version, as MLflow's migrations call it.</summary>
    public const string Version = "bf29a5ff90ea";

    /// <summary>The statements that make an empty database of this version.</summary>
    public static string Text { get; } = Read();

    private static string Read()
    {
        using var stream = typeof(MlflowSchema).Assembly.GetManifestResourceStream("mlflow-schema.sql")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
