using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Resources;

/// <summary>The request behind a resource operation.</summary>
public sealed record ResourceCall(ArmId Id, WorkspaceRef Workspace, Caller Caller, string ApiVersion, HttpContext Http);

/// <summary>
/// One ARM resource type in a workspace: where it lives, what its actions are called, and what happens on put and delete.
/// Subclass it in one file and register it with <c>services.AddArmResource&lt;T&gt;()</c>; the generic routes (GET, list, PUT, DELETE)
/// then exist, authorized, with ETags, <c>systemData</c>, paging and error shape. Instances are singletons.
/// </summary>
public abstract class ArmResource
{
    /// <summary>The path below the workspace, such as <c>datastores/{name}</c> or <c>data/{name}/versions/{version}</c>.</summary>
    public abstract string Path { get; }

    /// <summary>The role action prefix, such as <c>workspaces/datastores</c>; <c>/read</c>, <c>/write</c> and <c>/delete</c> are appended.</summary>
    public abstract string Action { get; }

    /// <summary>Whether the generic PUT and DELETE routes exist; a type with its own handlers for them returns false.</summary>
    public virtual bool Writable => true;

    /// <summary>Newest first when listed without an order.</summary>
    public virtual bool ListNewestFirst => false;

    /// <summary>Default page size of its list.</summary>
    public virtual int PageSize => 30;

    /// <summary>The PUT answer when the resource is new; the wire wants 200 for some types.</summary>
    public virtual int CreatedStatus => StatusCodes.Status201Created;

    /// <summary>
    /// Whether a PUT answers with an operation to poll, though it has ended: azure-core's Python client takes a discriminator out of the first
    /// answer while it reads it, and reads that answer again when nothing is polled (docs/wire-notes.md).
    /// </summary>
    public virtual bool AnswersWithOperation => false;

    /// <summary>Members of the body that must be present and their JSON kind, checked before <see cref="PrepareAsync"/>: (<c>properties.dataUri</c>, String).</summary>
    public virtual IReadOnlyList<(string Path, System.Text.Json.JsonValueKind Kind)> Required => [];

    /// <summary>Why <paramref name="value"/> is no legal value of the path's <paramref name="part"/>, or null. By default: 1 to 255 letters, digits, '-', '_', '.', beginning with a letter or digit.</summary>
    public virtual string? NameProblem(string part, string value) => ResourceName.Problem(part, value);

    /// <summary>The value under which the path's <paramref name="part"/> is kept; strips what clients leave in front of names. By default the value itself.</summary>
    public virtual string Canonical(string part, string value) => value;

    /// <summary>What a GET reads; a type with aliases (a label in place of a version) resolves them here. By default the resource with the call's id.</summary>
    public virtual Task<Resource?> FindAsync(ResourceCall call, IResources resources, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(resources);
        return resources.FindAsync(call.Id, ct);
    }

    /// <summary>A page of the list; a type that has an index for a parameter of its own asks that. By default the children of the query's parent.</summary>
    public virtual Task<Page<Resource>> ListAsync(ResourceCall call, ResourceQuery query, IResources resources, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(resources);
        return resources.ListAsync(query, ct);
    }

    /// <summary>Validates the body and returns the document to store, or every problem found. <paramref name="existing"/> is null on creation.</summary>
    public virtual Task<Outcome<JsonObject>> PrepareAsync(ResourceCall call, JsonObject body, Resource? existing, CancellationToken ct) =>
        Task.FromResult<Outcome<JsonObject>>(body);

    /// <summary>Runs inside the write unit right after the document is put; throw <see cref="ProblemException"/> to undo.</summary>
    public virtual void OnPut(WriteScope scope, ResourceCall call, Resource? before, Resource after)
    {
    }

    /// <summary>Runs inside the write unit right before the resource is deleted; throw <see cref="ProblemException"/> to refuse.</summary>
    public virtual void OnDelete(WriteScope scope, ResourceCall call, Resource resource)
    {
    }

    /// <summary>Adjusts the answer: add computed members to, or remove secrets from, <paramref name="answer"/> (id, name, type, systemData and the document are in it).</summary>
    public virtual ValueTask RenderAsync(ResourceCall call, Resource resource, JsonObject answer, CancellationToken ct) => ValueTask.CompletedTask;

    /// <summary>The members of the stored <paramref name="document"/> on which nothing acts, by path (<c>properties.mirrorTraffic</c>): the header <see cref="StoredOnly.Header"/> names them.</summary>
    public virtual IEnumerable<string> KeptOnly(JsonObject document) => [];

    /// <summary>Whether <paramref name="resource"/> passes the list's own query parameters.</summary>
    public virtual bool Matches(IQueryCollection query, Resource resource) => true;
}
