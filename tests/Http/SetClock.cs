namespace Zaffre.Tests.Http;

/// <summary>The system's clock, set by somebody; what measures time that passes does not know of it.</summary>
internal sealed class SetClock : TimeProvider
{
    public TimeSpan Set { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Set;
}
