using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Resources;

/// <summary>A resource as stored: the document as it was sent, plus what the store keeps beside it.</summary>
public sealed record Resource
{
    /// <summary>The resource id.</summary>
    public required ArmId Id { get; init; }

    /// <summary>The body as sent (<c>properties</c>, <c>location</c>, <c>tags</c>, <c>identity</c>, <c>sku</c>, <c>kind</c>). A private copy: changing it changes nothing stored.</summary>
    public required JsonObject Document { get; init; }

    /// <summary>Changes with every write; the ETag is made of it.</summary>
    public required long Revision { get; init; }

    /// <summary>Creation order within the store, for paging and <c>createdtime</c> ordering.</summary>
    public required long Sequence { get; init; }

    /// <summary>True when <c>properties.isArchived</c> was true at the last write.</summary>
    public bool Archived { get; init; }

    public required string CreatedBy { get; init; }

    public required string CreatedByType { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required string LastModifiedBy { get; init; }

    public required string LastModifiedByType { get; init; }

    public required DateTimeOffset LastModifiedAt { get; init; }

    /// <summary>The document's <c>properties</c>, empty when it has none.</summary>
    public JsonObject Properties => Document["properties"] as JsonObject ?? [];

    /// <summary>The strong ETag of this revision, with quotes.</summary>
    public string ETag => $"\"{Revision:x}\"";
}

/// <summary>Which resources of a listing to return, as the wire's <c>listViewType</c>.</summary>
public enum ListView
{
    ActiveOnly,
    ArchivedOnly,
    All,
}

/// <summary>What a listing is ordered by.</summary>
public enum ResourceOrder
{
    /// <summary>The order of creation.</summary>
    Created,

    /// <summary>The time of the last write.</summary>
    Modified,

    /// <summary>The name, without case.</summary>
    Name,
}

/// <summary>What to list.</summary>
public sealed record ResourceQuery
{
    /// <summary>The parent resource.</summary>
    public required ArmId Parent { get; init; }

    /// <summary>The child type's last segment, such as <c>jobs</c> or <c>versions</c>.</summary>
    public required string Type { get; init; }

    public ListView View { get; init; } = ListView.All;

    /// <summary>Most items on the page.</summary>
    public int Top { get; init; } = 30;

    /// <summary>The continuation of the page before, as it was returned.</summary>
    public string? Continuation { get; init; }

    /// <summary>What the listing is ordered by.</summary>
    public ResourceOrder Order { get; init; }

    /// <summary>Descending: newest first (the default of jobs and of <c>$orderBy=createdtime desc</c>), or from Z to A; else ascending.</summary>
    public bool NewestFirst { get; init; }

    /// <summary>Applied to each row while paging, for filters that have no column.</summary>
    public Func<Resource, bool>? Where { get; init; }
}

/// <summary>
/// The document store of ARM resources. Reads see committed state. Writes happen inside a <see cref="WriteScope"/>, append
/// one event each, and throw <see cref="ProblemException"/> (which undoes the unit) when a condition fails. Thread safe.
/// </summary>
public interface IResources
{
    Task<Resource?> FindAsync(ArmId id, CancellationToken ct);

    Task<Page<Resource>> ListAsync(ResourceQuery query, CancellationToken ct);

    /// <summary>The resources with these sequences, in this order; those that are gone are left out.</summary>
    Task<IReadOnlyList<Resource>> FindAllAsync(IReadOnlyList<long> sequences, CancellationToken ct);

    /// <summary>Reads inside a write unit, seeing its own writes.</summary>
    Resource? Find(WriteScope scope, ArmId id);

    /// <summary>Every child of a type inside a write unit, oldest first; for types of which a parent has few.</summary>
    IReadOnlyList<Resource> Children(WriteScope scope, ArmId parent, string type);

    /// <summary>
    /// A resource below <paramref name="within"/> in whose document one of these texts stands (in any case), other than <paramref name="except"/> and what is below it; null when
    /// there is none. Reads every document of the scope: for what happens rarely.
    /// </summary>
    ArmId? FindMention(WriteScope scope, ArmId within, IReadOnlyList<string> texts, ArmId except);

    /// <summary>
    /// Creates or replaces. <paramref name="condition"/> checks <c>If-Match</c> / <c>If-None-Match</c> inside the unit (412).
    /// The event's action is <c>{type}/write</c>; the payload holds name and revision, never the document's secrets.
    /// </summary>
    Resource Put(WriteScope scope, ArmId id, JsonObject document, Caller actor, PutCondition condition = default);

    /// <summary>
    /// Says anew who made the resource and when it was made and changed, as an import knows it from elsewhere; null leaves the creation as it is. Revision
    /// and document stay, and no event is appended: the write that goes before is the event.
    /// </summary>
    void Date(WriteScope scope, ArmId id, (string By, DateTimeOffset At)? created, DateTimeOffset modified);

    /// <summary>Deletes the resource and everything below it; false when there was nothing. Runs every <see cref="IScopedDeletion"/>.</summary>
    bool Delete(WriteScope scope, ArmId id, Caller actor, PutCondition condition = default);
}

/// <summary>The caller's <c>If-Match</c> and <c>If-None-Match</c>.</summary>
public readonly record struct PutCondition(string? IfMatch, string? IfNoneMatch);

/// <summary>A module that keeps rows of its own under resources deletes them here, in the same transaction.</summary>
public interface IScopedDeletion
{
    /// <summary>Deletes what hangs under <paramref name="scope"/> (the id itself and every id below it).</summary>
    void Delete(WriteScope write, ArmId scope);
}

/// <summary>A module that keeps an index of some resources updates it here, in the same transaction.</summary>
public interface IResourceIndex
{
    /// <summary>Called after <paramref name="resource"/> was put, whoever put it; throw <see cref="ProblemException"/> to undo the unit.</summary>
    void OnPut(WriteScope scope, Resource resource);
}
