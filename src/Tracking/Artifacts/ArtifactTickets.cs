using System.Security.Cryptography;
using System.Text.Json;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking.Mlflow;

namespace Zaffre.Tracking.Artifacts;

/// <summary>What a ticket allows: <c>get</c> or <c>put</c> of one blob, or <c>upload</c> in parts to it.</summary>
internal sealed record ArtifactTicket(string Right, string Account, string Container, string Name, long Expires)
{
    public BlobAddress Address => new(Account, Container, Name);
}

/// <summary>
/// URLs that carry their own permission, for transfers that MLflow's clients make without their token. A ticket is sealed with the
/// server's key, so nothing is stored and nothing can be altered; it is good for one blob and ends by itself.
/// </summary>
internal sealed class ArtifactTickets(ISecretBox box, TimeProvider time)
{
    public static readonly TimeSpan Life = TimeSpan.FromHours(12);

    private const string Purpose = "artifact-ticket";

    public string Issue(string right, BlobAddress blob, TimeSpan life)
    {
        var ticket = new ArtifactTicket(right, blob.Account, blob.Container, blob.Name, (time.GetUtcNow() + life).ToUnixTimeSeconds());
        return box.Seal(JsonSerializer.Serialize(ticket, TrackingJson.Default.ArtifactTicket), Purpose).Replace('+', '-').Replace('/', '_');
    }

    /// <summary>The blob that the ticket is for, or PERMISSION_DENIED.</summary>
    public BlobAddress Open(string ticket, string right)
    {
        try
        {
            var read = JsonSerializer.Deserialize(box.Open(ticket.Replace('-', '+').Replace('_', '/'), Purpose), TrackingJson.Default.ArtifactTicket);
            if (read is not null && read.Right == right && read.Expires > time.GetUtcNow().ToUnixTimeSeconds())
            {
                return read.Address;
            }
        }
        catch (CryptographicException)
        {
            // Not one of this server's: the same answer as an expired one.
        }

        throw MlflowErrors.Denied("The ticket of this URL is not valid (any more). Ask for a new one.");
    }
}
