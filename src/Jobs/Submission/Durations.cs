using System.Xml;

namespace Zaffre.Jobs.Submission;

/// <summary>ISO 8601 durations as the wire writes them.</summary>
internal static class Durations
{
    /// <summary>Reads a positive duration.</summary>
    public static bool TryRead(string text, out TimeSpan duration)
    {
        try
        {
            duration = XmlConvert.ToTimeSpan(text);
            return duration > TimeSpan.Zero;
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            duration = default;
            return false;
        }
    }
}
