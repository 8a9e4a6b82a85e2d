using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;

namespace Zaffre.Storage.Names;

/// <summary>
/// The reversible mapping between blob names and paths below a container's folder (docs/storage.md). A segment is itself, but for
/// three forms that start with <see cref="Mark"/>: <c>~zf.q{segment}</c> for what is no file name (empty, dot, dot-dot) or starts
/// with the mark; <c>~zf.+{piece}</c> for a folder that continues an over-long segment; <c>~zf.f{segment}</c> for a blob
/// whose plain place is taken by a folder.
/// </summary>
internal static class BlobPath
{
    public const string Mark = "~zf.";
    public const string Quoted = Mark + "q";
    public const string Continued = Mark + "+";
    public const string Beside = Mark + "f";

    /// <summary>Longest file name of Linux, in bytes.</summary>
    public const int MaxFileName = 255;

    private const int Piece = MaxFileName - 5;

    /// <summary>The path of the blob's plain place, relative to its container.</summary>
    public static string Encode(string name) => Encode(name, beside: false);

    /// <summary>The path of the blob's second place, used when a folder has its plain one.</summary>
    public static string EncodeBeside(string name) => Encode(name, beside: true);

    /// <summary>The path of the folder that holds names starting with <paramref name="prefix"/>, which is empty or ends with a slash.</summary>
    public static string EncodeFolder(string prefix) => prefix.Length == 0 ? "" : Encode(prefix[..^1], beside: false);

    /// <summary>What a folder entry contributes to the blob's name.</summary>
    public static EntryMeaning Decode(string entry)
    {
        if (!entry.StartsWith(Mark, StringComparison.Ordinal))
        {
            return new(entry, EntryForm.Plain);
        }

        var rest = entry.Length > Quoted.Length ? entry[Quoted.Length..] : "";
        return entry.AsSpan(0, Math.Min(entry.Length, Quoted.Length)) switch
        {
            Quoted => new(rest, EntryForm.Quoted),
            Continued when rest.Length > 0 => new(rest, EntryForm.Continued),
            Beside => new(rest, EntryForm.Beside),
            _ => new(entry, EntryForm.Unknown),
        };
    }

    /// <summary>The blob name of a path as <see cref="Encode(string)"/> or <see cref="EncodeBeside"/> made it; false for any other path.</summary>
    public static bool TryDecode(string path, [NotNullWhen(true)] out string? name)
    {
        name = null;
        var text = new StringBuilder(path.Length);
        var entries = path.Split('/');
        for (var i = 0; i < entries.Length; i++)
        {
            var (part, form) = Decode(entries[i]);
            if (form == EntryForm.Unknown || (form == EntryForm.Beside && i < entries.Length - 1))
            {
                return false;
            }

            text.Append(part);
            if (form != EntryForm.Continued && i < entries.Length - 1)
            {
                text.Append('/');
            }
        }

        var decoded = text.ToString();
        if (Encode(decoded) != path && EncodeBeside(decoded) != path)
        {
            return false;
        }

        name = decoded;
        return true;
    }

    private static string Encode(string name, bool beside)
    {
        if (!beside && !NeedsEncoding(name))
        {
            return name;
        }

        var path = new StringBuilder(name.Length + 16);
        var segments = name.Split('/');
        for (var i = 0; i < segments.Length; i++)
        {
            if (i > 0)
            {
                path.Append('/');
            }

            AppendSegment(path, segments[i], beside && i == segments.Length - 1);
        }

        return path.ToString();
    }

    // The common name costs one scan: no mark, no empty or dotted segment, nothing long.
    private static bool NeedsEncoding(string name)
    {
        var start = 0;
        for (var i = 0; i <= name.Length; i++)
        {
            if (i < name.Length && name[i] != '/')
            {
                continue;
            }

            if (NeedsQuote(name.AsSpan(start, i - start)) || i - start > MaxFileName / 3)
            {
                return true;
            }

            start = i + 1;
        }

        return false;
    }

    private static bool NeedsQuote(ReadOnlySpan<char> segment) =>
        segment is "" or "." or ".." || segment.StartsWith(Mark, StringComparison.Ordinal);

    private static void AppendSegment(StringBuilder path, string segment, bool beside)
    {
        var limit = beside || NeedsQuote(segment) ? Piece : MaxFileName;
        while (Encoding.UTF8.GetByteCount(segment) > limit)
        {
            var length = PrefixWithin(segment, Piece);
            path.Append(Continued).Append(segment, 0, length).Append('/');
            segment = segment[length..];
            limit = Piece;
            if (Encoding.UTF8.GetByteCount(segment) <= Piece)
            {
                path.Append(beside ? Beside : Quoted).Append(segment);
                return;
            }
        }

        path.Append(beside ? Beside : NeedsQuote(segment) ? Quoted : "").Append(segment);
    }

    // The longest prefix of at most so many UTF-8 bytes that does not cut a surrogate pair.
    private static int PrefixWithin(string text, int bytes)
    {
        var used = 0;
        var index = 0;
        while (Rune.TryGetRuneAt(text, index, out var rune) && used + rune.Utf8SequenceLength <= bytes)
        {
            used += rune.Utf8SequenceLength;
            index += rune.Utf16SequenceLength;
        }

        return index;
    }
}

/// <summary>How a folder entry is to be read.</summary>
internal enum EntryForm
{
    Plain,
    Quoted,
    Continued,
    Beside,
    Unknown,
}

/// <summary>A folder entry as part of a blob name.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct EntryMeaning(string Text, EntryForm Form);
