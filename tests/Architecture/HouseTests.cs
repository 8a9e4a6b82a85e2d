using Zaffre.Tests.Architecture.Rules;

namespace Zaffre.Tests.Architecture;

/// <summary>Every rule over the whole repository. <see cref="TwinTests"/> shows that each of them can fail.</summary>
public sealed class HouseTests
{
    private static readonly Waivers Waived = Waivers.Read();

    [Fact]
    public void Projects_reference_only_lower_floors() => Holds(Floors.Check);

    [Fact]
    public void Modules_show_only_their_contracts() => Holds(PublicSurface.Check);

    [Fact]
    public void Files_methods_and_parameter_lists_stay_small() => Holds(Sizes.Check);

    [Fact]
    public void Time_comes_from_the_time_provider() => HoldsInCode(Code.Clock);

    [Fact]
    public void Nothing_is_async_void() => HoldsInCode(Code.AsyncVoid);

    [Fact]
    public void Nothing_blocks_on_a_task() => HoldsInCode(Code.Blocking);

    [Fact]
    public void No_exception_is_swallowed_without_a_reason() => HoldsInCode(Code.EmptyCatch);

    [Fact]
    public void No_test_is_skipped() => HoldsInCode(Code.Skipped);

    [Fact]
    public void Names_say_what_things_are() => HoldsInCode(Code.Names);

    [Fact]
    public void Every_file_parses() => HoldsInCode(Code.Parses);

    [Fact]
    public void Blob_files_are_opened_in_one_place() => HoldsInCode(BlobPaths.Check);

    [Fact]
    public void Every_fact_of_the_wire_has_a_test_that_exists() => Report(WireFacts.Check(File.ReadAllText(Path.Combine(Repository.Root, "docs/wire-notes.md")), [.. Repository.CSharp]));

    [Fact]
    public void No_unfinished_work_is_left() => Holds(Words.Check);

    [Fact]
    public void Every_waiver_is_still_needed()
    {
        Func<IEnumerable<SourceFile>, IEnumerable<Violation>>[] code =
            [Code.Clock, Code.AsyncVoid, Code.Blocking, Code.EmptyCatch, Code.Skipped, Code.Names, Code.Parses, BlobPaths.Check];
        Func<IEnumerable<SourceFile>, IEnumerable<Violation>>[] all = [Floors.Check, PublicSurface.Check, Sizes.Check, Words.Check];
        var found = code.SelectMany(rule => rule(Repository.CSharp)).Concat(all.SelectMany(rule => rule(Repository.Files))).ToList();

        Assert.Empty(Waived.Unused(found));
    }

    [Fact]
    public void The_repository_is_seen() => Assert.True(Repository.CSharp.Count(file => file.IsProduct) > 60);

    private static void HoldsInCode(Func<IEnumerable<SourceFile>, IEnumerable<Violation>> rule) => Report(rule(Repository.CSharp));

    private static void Holds(Func<IEnumerable<SourceFile>, IEnumerable<Violation>> rule) => Report(rule(Repository.Files));

    private static void Report(IEnumerable<Violation> violations)
    {
        var left = Waived.Unwaived(violations).ToList();
        Assert.True(left.Count == 0, string.Join('\n', left));
    }
}
