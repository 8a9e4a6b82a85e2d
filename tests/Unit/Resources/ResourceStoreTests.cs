using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Tests.Unit.Database;
using Zaffre.Web;

namespace Zaffre.Tests.Unit.Resources;

public sealed class ResourceStoreTests : IDisposable
{
    private static readonly WorkspaceRef Workspace = new("s", "g", "w");
    private readonly DatabaseFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task A_resource_comes_back_as_it_was_sent_with_members_nobody_knows()
    {
        var sent = (JsonObject)JsonNode.Parse("""{"properties":{"a":1.50,"unknown":{"x":[null,true,"é"]}},"tags":{"k":"v"}}""")!;

        await PutAsync("one", sent.Copy());

        Assert.Equal(sent.ToJsonString(), (await FindAsync("ONE"))!.Document.ToJsonString());
    }

    [Fact]
    public async Task Ids_are_found_in_any_case_and_keep_the_case_of_their_creation()
    {
        await PutAsync("MixedCase");

        Assert.Equal("MixedCase", (await FindAsync("mixedcase"))!.Id.Name);
    }

    [Fact]
    public async Task A_write_with_an_old_etag_is_refused_and_changes_nothing()
    {
        var first = await PutAsync("one");
        await PutAsync("one", new JsonObject { ["tags"] = new JsonObject() });

        var refused = await Assert.ThrowsAsync<ProblemException>(() => PutAsync("one", [], new PutCondition(first.ETag, null)));

        Assert.Equal(ProblemKind.PreconditionFailed, refused.Problem.Kind);
        Assert.NotNull((await FindAsync("one"))!.Document["tags"]);
    }

    [Fact]
    public async Task Of_two_creations_with_if_none_match_one_wins()
    {
        var tries = Enumerable.Range(0, 20).Select(_ => PutAsync("one", [], new PutCondition(null, "*")).ContinueWith(t => t.IsCompletedSuccessfully, TaskScheduler.Default));

        Assert.Single(await Task.WhenAll(tries), won => won);
    }

    [Fact]
    public async Task A_resource_made_again_after_deletion_has_another_etag()
    {
        var first = await PutAsync("one");
        await DeleteAsync(Workspace.Child("things", "one"));

        Assert.NotEqual(first.ETag, (await PutAsync("one")).ETag);
    }

    [Fact]
    public async Task Pages_hold_every_match_once_in_order()
    {
        for (var i = 0; i < 250; i++)
        {
            await PutAsync($"t{i:000}", new JsonObject { ["properties"] = new JsonObject { ["odd"] = i % 2 == 1 } });
        }

        var names = new List<string>();
        string? next = null;
        do
        {
            var page = await fixture.Resources.ListAsync(
                new ResourceQuery { Parent = Workspace.Id, Type = "things", Top = 7, Continuation = next, Where = r => r.Properties.Flag("odd") == true },
                default);
            Assert.InRange(page.Items.Count, 1, 7);
            names.AddRange(page.Items.Select(r => r.Id.Name));
            next = page.Next;
        }
        while (next is not null);

        Assert.Equal(Enumerable.Range(0, 250).Where(i => i % 2 == 1).Select(i => $"t{i:000}"), names);
    }

    [Fact]
    public async Task Archived_resources_are_listed_only_when_asked_for()
    {
        await PutAsync("active");
        await PutAsync("archived", new JsonObject { ["properties"] = new JsonObject { ["isArchived"] = true } });

        Assert.Equal(["active"], await NamesAsync(ListView.ActiveOnly));
        Assert.Equal(["archived"], await NamesAsync(ListView.ArchivedOnly));
        Assert.Equal(["active", "archived"], await NamesAsync(ListView.All));
    }

    [Fact]
    public async Task Deleting_takes_everything_below_and_no_sibling()
    {
        var container = Workspace.Child("data", "a");
        foreach (var id in new[] { container, container.Child("versions", "1"), Workspace.Child("data", "a0"), Workspace.Child("data", "a-b") })
        {
            await fixture.Database.WriteAsync(scope => fixture.Resources.Put(scope, id, [], Caller.System), default);
        }

        Assert.True(await DeleteAsync(container));

        Assert.Null(await fixture.Resources.FindAsync(container.Child("versions", "1"), default));
        Assert.NotNull(await fixture.Resources.FindAsync(Workspace.Child("data", "a0"), default));
        Assert.NotNull(await fixture.Resources.FindAsync(Workspace.Child("data", "a-b"), default));
        Assert.False(await DeleteAsync(container));
    }

    [Fact]
    public async Task Every_write_and_deletion_is_one_event()
    {
        await PutAsync("one");
        await PutAsync("one");
        await DeleteAsync(Workspace.Child("things", "one"));

        var actions = (await fixture.Events.ReadAsync(0, 10, default)).Select(e => e.Action);

        Assert.Equal(Enumerable.Repeat("Microsoft.MachineLearningServices/workspaces/things/write", 2).Append("Microsoft.MachineLearningServices/workspaces/things/delete"), actions);
    }

    [Fact]
    public async Task A_forged_continuation_is_an_error()
    {
        var refused = await Assert.ThrowsAsync<ProblemException>(() => fixture.Resources.ListAsync(
            new ResourceQuery { Parent = Workspace.Id, Type = "things", Continuation = "k1; DROP TABLE resources" }, default));

        Assert.Equal("$skip", refused.Problem.Target);
    }

    private Task<Resource> PutAsync(string name, JsonObject? document = null, PutCondition condition = default) =>
        fixture.Database.WriteAsync(scope => fixture.Resources.Put(scope, Workspace.Child("things", name), document ?? [], Caller.System, condition), default);

    private Task<bool> DeleteAsync(ArmId id) => fixture.Database.WriteAsync(scope => fixture.Resources.Delete(scope, id, Caller.System), default);

    private Task<Resource?> FindAsync(string name) => fixture.Resources.FindAsync(Workspace.Child("things", name), default);

    private async Task<IEnumerable<string>> NamesAsync(ListView view) =>
        (await fixture.Resources.ListAsync(new ResourceQuery { Parent = Workspace.Id, Type = "things", View = view }, default)).Items.Select(r => r.Id.Name);
}
