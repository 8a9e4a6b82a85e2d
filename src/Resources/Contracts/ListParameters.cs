using System.Globalization;
using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Resources;

/// <summary>
/// The list parameters that resource types share: <c>listViewType</c>, <c>$top</c>, <c>count</c>, <c>$skip</c>, <c>offset</c>,
/// <c>$orderBy</c>, <c>orderBy</c>, <c>orderByAsc</c>. Of one that comes twice, as when a client adds its own to a <c>nextLink</c>, the last counts.
/// </summary>
public static class ListParameters
{
    /// <summary>Most items on a page, whatever the caller asks.</summary>
    public const int MostPerPage = 1000;

    private const string Orders = "createdtime, modifiedtime or name, each with ' asc' or ' desc'";

    /// <summary>Reads them; Parent and Type are the caller's to fill in. Throws the problem of a malformed one.</summary>
    public static ResourceQuery Read(IQueryCollection query, ArmResource type)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(type);
        var (order, descending) = Order(query, type);
        return new ResourceQuery
        {
            Parent = default,
            Type = "",
            View = View(Value(query, "listViewType")),
            Top = Count(query, "$top") ?? Count(query, "count") ?? type.PageSize,
            Continuation = Value(query, "$skip") is { Length: > 0 } skip ? skip : Value(query, "offset"),
            Order = order,
            NewestFirst = descending,
        };
    }

    /// <summary>The parameter's value, the last one when it comes more than once; empty when it is absent.</summary>
    public static string Value(IQueryCollection query, string name)
    {
        ArgumentNullException.ThrowIfNull(query);
        return query[name] is [.., { } last] ? last : "";
    }

    /// <summary>Whether a map passes a filter such as <c>a=1,b</c>: member a is 1 and there is a member b. The empty filter lets everything pass.</summary>
    public static bool Holds(string filter, System.Text.Json.Nodes.JsonObject? map)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return filter.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).All(term =>
            term.Split('=', 2) is [var key, var value] ? map?.Text(key) == value : map?.ContainsKey(term) == true);
    }

    // "createdtime desc"; datastores say orderBy=name&orderByAsc=true, endpoints orderBy=CreatedAtDesc.
    private static (ResourceOrder Order, bool Descending) Order(IQueryCollection query, ArmResource type)
    {
        var text = Value(query, "$orderBy") is { Length: > 0 } given ? given : Value(query, "orderBy");
        var words = text.Replace("AtDesc", "time desc", StringComparison.OrdinalIgnoreCase).Replace("AtAsc", "time asc", StringComparison.OrdinalIgnoreCase)
            .ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        ResourceOrder? order = words is [] ? ResourceOrder.Created : words[0] switch
        {
            "createdtime" or "createdat" or "createdon" => ResourceOrder.Created,
            "modifiedtime" or "updatedtime" or "lastmodifiedtime" or "lastmodifiedat" => ResourceOrder.Modified,
            "name" or "version" => ResourceOrder.Name,
            _ => null,
        };
        bool? descending = words switch
        {
            [] => type.ListNewestFirst,
            [_] or [_, "asc"] => false,
            [_, "desc"] => true,
            _ => null,
        };
        if (bool.TryParse(Value(query, "orderByAsc"), out var ascending))
        {
            descending = !ascending;
        }

        return order is { } known && descending is { } direction
            ? (known, direction)
            : throw new ProblemException(ArmErrors.Invalid($"'{text}' is no order of this list: use {Orders}.", "$orderBy"));
    }

    private static ListView View(string text) => text.ToLowerInvariant() switch
    {
        "" or "activeonly" => ListView.ActiveOnly,
        "archivedonly" => ListView.ArchivedOnly,
        "all" => ListView.All,
        _ => throw new ProblemException(ArmErrors.Invalid($"listViewType must be ActiveOnly, ArchivedOnly or All; it is '{text}'.", "listViewType")),
    };

    private static int? Count(IQueryCollection query, string name)
    {
        var text = Value(query, name);
        if (text.Length == 0)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            ? Math.Min(count, MostPerPage)
            : throw new ProblemException(ArmErrors.Invalid($"{name} must be a positive number; it is '{text}'.", name));
    }
}
