namespace Zaffre.Recording;

/// <summary>The server that a recording is replayed against, and who acts.</summary>
public sealed record ReplayTarget
{
    /// <summary>Base URL of the server's TLS port.</summary>
    public required Uri Url { get; init; }

    /// <summary>PEM file of the CA that its certificate must come from.</summary>
    public required string CaFile { get; init; }

    public required string TenantId { get; init; }

    public required string SubscriptionId { get; init; }

    public required string ClientId { get; init; }

    public required string ObjectId { get; init; }

    public required string ClientSecret { get; init; }

    /// <summary>The server's data directory.</summary>
    public string Data { get; init; } = "";

    /// <summary>How long an answer that differs is asked for again.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Keeps the secret out of logs and messages.</summary>
    public override string ToString() => $"ReplayTarget {{ Url = {Url} }}";
}

/// <summary>Where an answer differs from the recorded one.</summary>
/// <param name="Number">The exchange's number in the recording.</param>
/// <param name="Request">Method and target, as recorded.</param>
/// <param name="Where"><c>status</c>, <c>headers.{name}</c>, or <c>body</c> with the JSON path.</param>
/// <param name="Expected">What was recorded, with the placeholders.</param>
/// <param name="Actual">What came.</param>
public sealed record ReplayDifference(long Number, string Request, string Where, string Expected, string Actual);

/// <summary>How a replay went.</summary>
/// <param name="Sent">Exchanges that were replayed.</param>
/// <param name="Skipped">Exchanges that a job sent when they were recorded, and refusals of a signature that the client made itself.</param>
/// <param name="Differences">What differs, in order.</param>
public sealed record ReplayReport(int Sent, int Skipped, IReadOnlyList<ReplayDifference> Differences);
