using System.Xml.Linq;

namespace Zaffre.Tests.Architecture.Rules;

/// <summary>A project references only projects of lower floors, and none of its own; a backend may reference its module.</summary>
internal static class Floors
{
    private static readonly Dictionary<string, int> Of = new(StringComparer.Ordinal)
    {
        ["App"] = 10,
        ["Cli"] = 9,
        ["Server"] = 9,
        ["Catalog"] = 8,
        ["Flows"] = 8,
        ["Responsible"] = 8,
        ["Monitoring"] = 8,
        ["Notebooks"] = 8,
        ["Endpoints"] = 7,
        ["Jobs"] = 6,
        ["Compute"] = 5,
        ["Tracking"] = 5,
        ["Assets"] = 4,
        ["Workspaces"] = 3,
        ["Recording"] = 2,
        ["Storage"] = 2,
        ["Gateway"] = 2,
        ["Identity"] = 1,
        ["Resources"] = 0,
        ["Web"] = -1,
        ["Database"] = -2,
        ["Wire"] = -3,
        ["Kernel"] = -4,
    };

    public static IEnumerable<Violation> Check(IEnumerable<SourceFile> files) =>
        files.Where(file => file.IsProduct && file.Path.EndsWith(".csproj", StringComparison.Ordinal)).SelectMany(Check);

    private static IEnumerable<Violation> Check(SourceFile project)
    {
        var name = project.Module;
        if (FloorOf(name) is not { } floor)
        {
            yield return new Violation("floors", project.Path, "stands on no floor: give it one");
            yield break;
        }

        foreach (var reference in References(project))
        {
            if (FloorOf(reference) is not { } below)
            {
                yield return new Violation("floors", project.Path, $"references {reference}, which is no module");
            }
            else if (below > floor || (below == floor && name.Split('.')[0] != reference))
            {
                yield return new Violation("floors", project.Path, $"on floor {floor} references {reference} on floor {below}");
            }
            else if (name == "Gateway" && reference != "Kernel")
            {
                yield return new Violation("floors", project.Path, $"the gateway knows Kernel only, not {reference}");
            }
        }
    }

    private static int? FloorOf(string project) => Of.TryGetValue(project.Split('.')[0], out var floor) ? floor : null;

    private static IEnumerable<string> References(SourceFile project) =>
        XDocument.Parse(project.Text).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(((string?)reference.Attribute("Include") ?? "").Replace('\\', '/')));
}
