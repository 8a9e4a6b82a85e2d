using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Assets;

/// <summary>How far an environment is made real, among its <c>properties.properties</c>: answered, never stored, so that a client that sends back what it read changes nothing.</summary>
internal static class EnvironmentMarks
{
    private const string Prefix = "zaffre.environment.";

    public static void Add(JsonObject properties, EnvironmentState? state)
    {
        if (state is not null && properties.Object("properties") is { } marks)
        {
            marks[Prefix + "state"] = state.State;
            foreach (var (name, value) in (ReadOnlySpan<(string, string?)>)[("key", state.Key), ("failure", state.Failure)])
            {
                if (value is not null)
                {
                    marks[Prefix + name] = value;
                }
            }
        }
    }

    public static void Forget(JsonObject properties)
    {
        var marks = properties.Object("properties");
        foreach (var name in marks?.Select(p => p.Key).Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).ToList() ?? [])
        {
            marks!.Remove(name);
        }
    }
}
