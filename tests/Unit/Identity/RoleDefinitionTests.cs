using Zaffre.Identity.Access;

namespace Zaffre.Tests.Unit.Identity;

public sealed class RoleDefinitionTests
{
    private const string Ml = "Microsoft.MachineLearningServices/workspaces/";

    private readonly RoleCatalog roles = new();

    [Theory]
    [InlineData(RoleCatalog.Owner, "Microsoft.Authorization/roleAssignments/write", true)]
    [InlineData(RoleCatalog.Contributor, Ml + "jobs/write", true)]
    [InlineData(RoleCatalog.Contributor, "Microsoft.Authorization/roleAssignments/write", false)]
    [InlineData(RoleCatalog.Contributor, "Microsoft.Authorization/roleAssignments/read", true)]
    [InlineData(RoleCatalog.Reader, Ml + "jobs/read", true)]
    [InlineData(RoleCatalog.Reader, "MICROSOFT.MACHINELEARNINGSERVICES/WORKSPACES/READ", true)]
    [InlineData(RoleCatalog.Reader, Ml + "jobs/write", false)]
    [InlineData(RoleCatalog.Reader, Ml + "datastores/listSecrets/action", false)]
    [InlineData(RoleCatalog.DataScientist, Ml + "jobs/write", true)]
    [InlineData(RoleCatalog.DataScientist, Ml + "read", true)]
    [InlineData(RoleCatalog.DataScientist, Ml + "write", false)]
    [InlineData(RoleCatalog.DataScientist, Ml + "computes/write", false)]
    [InlineData(RoleCatalog.DataScientist, Ml + "computes/nodes/write", false)]
    [InlineData(RoleCatalog.DataScientist, Ml + "computes/start/action", true)]
    [InlineData(RoleCatalog.DataScientist, Ml + "computes/listKeys/action", false)]
    public void A_role_allows_what_its_published_patterns_say(string role, string action, bool allowed) =>
        Assert.Equal(allowed, roles.Find(role)!.Allows(action, isDataAction: false));

    [Fact]
    public void Actions_grant_no_data_actions()
    {
        const string Read = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";
        Assert.False(roles.Find(RoleCatalog.Owner)!.Allows(Read, isDataAction: true));
        Assert.True(roles.Find(RoleCatalog.BlobDataContributor)!.Allows(Read, isDataAction: true));
        Assert.False(roles.Find(RoleCatalog.BlobDataContributor)!.Allows(Read, isDataAction: false));
    }

    [Theory]
    [InlineData("*", "A.B/c/read", true)]
    [InlineData("*/read", "A.B/c/read", true)]
    [InlineData("*/read", "A.B/c/reads", false)]
    [InlineData("A.B/*", "AxB/read", false)]
    [InlineData("A.B/*/write", "A.B/write", true)]
    [InlineData("A.B/*/write", "A.B/c/d/write", true)]
    [InlineData("A.B/*/write", "A.Bc/write", false)]
    [InlineData("A/*/x/*/y", "a/X/y", true)]
    [InlineData("A/*/x/*/y", "a/y", false)]
    [InlineData("a*b*c", "aXbXbc", true)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    public void A_star_stands_for_any_text(string pattern, string action, bool matches) => Assert.Equal(matches, new ActionPattern(pattern).Matches(action));
}
