using System.IO.MemoryMappedFiles;
using System.Text;

namespace Zaffre.Gateway.Onnx;

/// <summary>
/// What a model file says of files beside it, read before the library opens any: weights may lie outside of the model file, but not outside of
/// its folder. What cannot be walked to its end is refused: something could hide behind it.
/// </summary>
internal static class OnnxFile
{
    private const int Graph = 7;
    private const int Functions = 25;
    private const int MostDepth = 200;

    // Within a message of the kind of the first number, the field of the second holds a message of the third.
    private static readonly Dictionary<(Kind, int), Kind> Fields = new()
    {
        [(Kind.Model, Graph)] = Kind.Graph, [(Kind.Model, Functions)] = Kind.Function,
        [(Kind.Graph, 1)] = Kind.Node, [(Kind.Graph, 5)] = Kind.Tensor, [(Kind.Graph, 15)] = Kind.SparseTensor,
        [(Kind.Function, 7)] = Kind.Node, [(Kind.Function, 11)] = Kind.Attribute, [(Kind.Node, 5)] = Kind.Attribute,
        [(Kind.Attribute, 5)] = Kind.Tensor, [(Kind.Attribute, 6)] = Kind.Graph, [(Kind.Attribute, 10)] = Kind.Tensor,
        [(Kind.Attribute, 11)] = Kind.Graph, [(Kind.Attribute, 22)] = Kind.SparseTensor, [(Kind.Attribute, 23)] = Kind.SparseTensor,
        [(Kind.SparseTensor, 1)] = Kind.Tensor, [(Kind.SparseTensor, 2)] = Kind.Tensor, [(Kind.Tensor, 13)] = Kind.External,
    };

    private enum Kind
    {
        Model,
        Graph,
        Function,
        Node,
        Attribute,
        Tensor,
        SparseTensor,
        External,
    }

    /// <summary>Null when everything that the file names is there; else the code and message of the refusal.</summary>
    public static unsafe (string Code, string Message)? Check(string path)
    {
        var length = new FileInfo(path).Length;
        if (length == 0)
        {
            return ("ModelLoadFailed", $"{Path.GetFileName(path)} is empty.");
        }

        if (length > int.MaxValue)
        {
            return ("ModelLoadFailed", $"{Path.GetFileName(path)} is larger than 2 GiB, which a model file cannot be; save its weights as external data.");
        }

        var locations = new HashSet<string>(StringComparer.Ordinal);
        using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using var view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            if (!Walk(new ReadOnlySpan<byte>(start, (int)length), Kind.Model, locations, 0))
            {
                return ("ModelLoadFailed", $"{Path.GetFileName(path)} is damaged or no ONNX model; export and register it again.");
            }
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        return locations.Select(l => Check(l, Path.GetDirectoryName(path)!)).FirstOrDefault(p => p is not null);
    }

    private static (string Code, string Message)? Check(string location, string folder)
    {
        if (Path.IsPathRooted(location) || location.Length == 0 || location.Split('/', '\\').Contains("..", StringComparer.Ordinal))
        {
            return ("ModelFilesMissing", $"The model's weights are said to lie at '{location}', outside of the model's folder; only files below it are read. Save the model again with a relative location.");
        }

        return File.Exists(Path.Combine(folder, location))
            ? null
            : ("ModelFilesMissing", $"The model's weights are said to lie in '{location}', which the model's folder lacks. Register the whole folder.");
    }

    // False where this is no protocol buffer, or too deep a one.
    private static bool Walk(ReadOnlySpan<byte> message, Kind kind, HashSet<string> locations, int depth)
    {
        ReadOnlySpan<byte> key = default, value = default;
        while (!message.IsEmpty)
        {
            if (depth == MostDepth || !TryField(ref message, out var field, out var content))
            {
                return false;
            }

            if (kind == Kind.External)
            {
                key = field == 1 ? content : key;
                value = field == 2 ? content : value;
            }
            else if (Fields.TryGetValue((kind, field), out var below) && !Walk(content, below, locations, depth + 1))
            {
                return false;
            }
        }

        if (kind == Kind.External && key.SequenceEqual("location"u8))
        {
            locations.Add(Encoding.UTF8.GetString(value));
        }

        return true;
    }

    // The next field; its content when it is of the kind that has a length. False where this is no protocol buffer.
    private static bool TryField(scoped ref ReadOnlySpan<byte> message, out int field, out ReadOnlySpan<byte> content)
    {
        field = 0;
        content = default;
        if (!TryNumber(ref message, out var tag))
        {
            return false;
        }

        field = (int)(tag >> 3);
        var skipped = (tag & 7) switch { 1 => 8, 5 => 4, _ => 0 };
        switch (tag & 7)
        {
            case 0:
                return TryNumber(ref message, out _);
            case 2 when TryNumber(ref message, out var length) && length <= (ulong)message.Length:
                content = message[..(int)length];
                message = message[(int)length..];
                return true;
            case 1 or 5 when message.Length >= skipped:
                message = message[skipped..];
                return true;
            default:
                return false;
        }
    }

    private static bool TryNumber(scoped ref ReadOnlySpan<byte> message, out ulong number)
    {
        number = 0;
        for (var i = 0; i < message.Length && i < 10; i++)
        {
            number |= (ulong)(message[i] & 0x7F) << (7 * i);
            if (message[i] < 0x80)
            {
                message = message[(i + 1)..];
                return true;
            }
        }

        return false;
    }
}
