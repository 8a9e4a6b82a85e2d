using System.Threading.Tasks.Sources;

namespace Zaffre.Gateway.Workers;

/// <summary>A value that one party waits for and another sets, again and again, without an allocation. One waiter at a time.</summary>
internal sealed class ResettableSignal<T> : IValueTaskSource<T>
{
    private ManualResetValueTaskSourceCore<T> core;

    public ValueTask<T> WaitAsync() => new(this, core.Version);

    public void Set(T value) => core.SetResult(value);

    public void Reset() => core.Reset();

    T IValueTaskSource<T>.GetResult(short token) => core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<T>.GetStatus(short token) => core.GetStatus(token);

    void IValueTaskSource<T>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        core.OnCompleted(continuation, state, token, flags);
}
