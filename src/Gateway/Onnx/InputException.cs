namespace Zaffre.Gateway.Onnx;

/// <summary>The caller's input does not fit the model; the message says where and what was expected.</summary>
internal sealed class InputException(string message, int status = 400) : Exception(message)
{
    public int Status { get; } = status;
}
