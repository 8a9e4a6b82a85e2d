using Zaffre.Web;

namespace Zaffre.Tests.Unit.Web;

public sealed class ArmIdTests
{
    private static readonly WorkspaceRef Workspace = new("sub", "rg", "ws");

    [Fact]
    public void A_child_knows_its_type_and_parent()
    {
        var version = Workspace.Child("data", "d").Child("versions", "3");

        Assert.Equal("Microsoft.MachineLearningServices/workspaces/data/versions", version.Type);
        Assert.Equal(Workspace.Child("data", "d"), version.Parent);
        Assert.Equal("3", version.Name);
    }

    [Fact]
    public void Ids_differ_by_name_and_not_by_case()
    {
        Assert.Equal(Workspace.Id, new ArmId(Workspace.Id.Value.ToUpperInvariant()));
        Assert.NotEqual(Workspace.Id, new WorkspaceRef("sub", "rg", "ws2").Id);
    }

    [Theory]
    [InlineData("/subscriptions/sub/resourcegroups/rg/providers/microsoft.machinelearningservices/workspaces/ws/jobs/j", "jobs/j")]
    [InlineData("azureml:/subscriptions/sub/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws/codes/c/versions/1", "codes/c/versions/1")]
    [InlineData("/subscriptions/sub/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws", "")]
    public void A_workspace_is_read_out_of_any_id_below_it(string id, string rest)
    {
        Assert.True(WorkspaceRef.TryParse(id, out var found, out var below));
        Assert.Equal(Workspace, found);
        Assert.Equal(rest, below);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("azureml:thing:1")]
    [InlineData("/subscriptions/sub/resourceGroups/rg")]
    [InlineData("x/subscriptions/sub/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws")]
    public void Anything_else_is_no_workspace(string? id) => Assert.False(WorkspaceRef.TryParse(id, out _, out _));
}
