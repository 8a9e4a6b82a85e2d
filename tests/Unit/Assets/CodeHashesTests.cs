using System.Text.Json.Nodes;
using Zaffre.Assets.Data;
using Zaffre.Database;
using Zaffre.Tests.Unit.Database;
using Zaffre.Web;

namespace Zaffre.Tests.Unit.Assets;

/// <summary>The index of code by hash, and its making from what an earlier version stored.</summary>
public sealed class CodeHashesTests : IDisposable
{
    private static readonly WorkspaceRef Workspace = new("s", "codes", "versions");
    private readonly DatabaseFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task Code_of_earlier_versions_is_found_by_hash()
    {
        await StoreAsync(Workspace, "codes", "one", """{"hash_sha256":"aa","hash_version":202208}""");
        await StoreAsync(Workspace, "codes", "codes", """{"hash_sha256":"aa"}""");
        await StoreAsync(Workspace, "codes", "none", "{}");
        await StoreAsync(Workspace, "codes", "odd", """{"hash_sha256":7}""");
        await StoreAsync(Workspace, "models", "model", """{"hash_sha256":"aa"}""");
        await StoreAsync(Workspace with { Name = "other" }, "codes", "theirs", """{"hash_sha256":"aa"}""");

        await MigrateAsync();

        Assert.Equal(["codes", "one"], await FoundAsync(Workspace, "aa"));
        Assert.Equal(["theirs"], await FoundAsync(Workspace with { Name = "other" }, "aa"));
        Assert.Empty(await FoundAsync(Workspace, "7"));
    }

    [Fact]
    public async Task What_is_deleted_or_changed_is_no_longer_found()
    {
        await MigrateAsync();
        var hashes = new CodeHashes(fixture.Database);
        await StoreAsync(Workspace, "codes", "one", """{"hash_sha256":"aa"}""", note: true);
        await StoreAsync(Workspace, "codes", "two", """{"hash_sha256":"aa"}""", note: true);
        await StoreAsync(Workspace, "codes", "one", """{"hash_sha256":"bb"}""", note: true);
        Assert.Equal(["two"], await FoundAsync(Workspace, "aa"));
        Assert.Equal(["one"], await FoundAsync(Workspace, "bb"));

        await fixture.Database.WriteAsync(scope => hashes.Delete(scope, Workspace.Child("codes", "two")), default);
        Assert.Empty(await FoundAsync(Workspace, "aa"));
        await fixture.Database.WriteAsync(scope => hashes.Delete(scope, Workspace.Id), default);
        Assert.Empty(await FoundAsync(Workspace, "bb"));
    }

    private async Task MigrateAsync()
    {
        var sql = await File.ReadAllTextAsync(Repository.Path("src/Assets/Data/Migrations/0001_code_hashes.sql"));
        await fixture.Database.WriteAsync(scope => scope.Execute(sql), default);
    }

    private async Task<string[]> FoundAsync(WorkspaceRef workspace, string hash) =>
        [.. (await new CodeHashes(fixture.Database).FindAsync(workspace, hash, workspace.Child("codes", "nobody"), 10, default)).Select(id => id.Parent.Name)];

    private Task StoreAsync(WorkspaceRef workspace, string type, string name, string properties, bool note = false) => fixture.Database.WriteAsync(
        scope =>
        {
            var document = new JsonObject { ["properties"] = new JsonObject { ["properties"] = JsonNode.Parse(properties) } };
            var stored = fixture.Resources.Put(scope, workspace.Child(type, name).Child("versions", "1"), document, Caller.System);
            if (note)
            {
                CodeHashes.Note(scope, workspace, stored);
            }
        },
        default);
}
