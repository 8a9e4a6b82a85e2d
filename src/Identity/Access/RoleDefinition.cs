using System.Collections.Concurrent;
using System.Text.Json;

namespace Zaffre.Identity.Access;

/// <summary>A built-in role: what it allows, as published, and whether it allows one action.</summary>
internal sealed class RoleDefinition
{
    private readonly ActionPattern[] actions;
    private readonly ActionPattern[] notActions;
    private readonly ActionPattern[] dataActions;
    private readonly ActionPattern[] notDataActions;
    private readonly ConcurrentDictionary<(string Action, bool Data), bool> decided = new();

    public RoleDefinition(JsonElement source)
    {
        Id = source.GetProperty("id").GetString()!;
        Name = source.GetProperty("roleName").GetString()!;
        Permissions = source.GetProperty("permissions").Clone();
        AssignableScopes = source.GetProperty("assignableScopes").Clone();
        actions = Patterns("actions");
        notActions = Patterns("notActions");
        dataActions = Patterns("dataActions");
        notDataActions = Patterns("notDataActions");
    }

    public string Id { get; }

    public string Name { get; }

    public JsonElement Permissions { get; }

    public JsonElement AssignableScopes { get; }

    /// <summary>Whether an action pattern matches and no notAction does. Decisions are remembered: the set of actions is the set of routes.</summary>
    public bool Allows(string action, bool isDataAction) =>
        decided.TryGetValue((action, isDataAction), out var known) ? known : Decide(action, isDataAction);

    private bool Decide(string action, bool isDataAction)
    {
        var (granted, taken) = isDataAction ? (dataActions, notDataActions) : (actions, notActions);
        var allows = granted.Any(p => p.Matches(action)) && !taken.Any(p => p.Matches(action));
        return decided.GetOrAdd((action, isDataAction), allows);
    }

    private ActionPattern[] Patterns(string member) =>
    [
        .. Permissions.EnumerateArray()
            .SelectMany(permission => permission.GetProperty(member).EnumerateArray())
            .Select(pattern => new ActionPattern(pattern.GetString()!)),
    ];
}
