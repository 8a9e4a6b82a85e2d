using System.Globalization;
using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Resources;

/// <summary>The list parameters that every resource type shares: <c>listViewType</c>, <c>$top</c>, <c>count</c>, <c>$skip</c>, <c>$orderBy</c>.</summary>
public static class ListParameters
{
    /// <summary>Most items on a page, whatever the caller asks.</summary>
    public const int MostPerPage = 1000;

    /// <summary>Reads them; Parent and Type are the caller's to fill in. Throws the problem of a malformed one.</summary>
    public static ResourceQuery Read(IQueryCollection query, ArmResource type)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(type);
        var order = query["$orderBy"].ToString();
        return new ResourceQuery
        {
            Parent = default,
            Type = "",
            View = View(query["listViewType"].ToString()),
            Top = Count(query, "$top") ?? Count(query, "count") ?? type.PageSize,
            Continuation = query["$skip"],
            NewestFirst = order.Length == 0 ? type.ListNewestFirst : order.EndsWith(" desc", StringComparison.OrdinalIgnoreCase),
        };
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
        var text = query[name].ToString();
        if (text.Length == 0)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            ? Math.Min(count, MostPerPage)
            : throw new ProblemException(ArmErrors.Invalid($"{name} must be a positive number; it is '{text}'.", name));
    }
}
