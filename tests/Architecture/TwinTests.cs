using Zaffre.Tests.Architecture.Rules;

namespace Zaffre.Tests.Architecture;

/// <summary>Feeds every rule a violation and expects it to be found, and its honest twin and expects nothing.</summary>
public sealed class TwinTests
{
    [Theory]
    [InlineData("Jobs", "Endpoints", true)]
    [InlineData("Jobs", "Compute", false)]
    [InlineData("Compute", "Tracking", true)]
    [InlineData("Kernel", "Wire", true)]
    [InlineData("Storage.S3", "Storage", false)]
    [InlineData("Storage.S3", "Gateway", true)]
    [InlineData("Gateway", "Identity", true)]
    [InlineData("Gateway", "Web", true)]
    [InlineData("Gateway", "Kernel", false)]
    [InlineData("Attic", "Kernel", true)]
    [InlineData("Jobs", "Attic", true)]
    public void A_reference_upwards_is_found(string from, string to, bool found)
    {
        var project = new SourceFile($"src/{from}/{from}.csproj", $"""<Project><ItemGroup><ProjectReference Include="../{to}/{to}.csproj" /></ItemGroup></Project>""");

        Assert.Equal(found, Floors.Check([project]).Any());
    }

    [Theory]
    [InlineData("src/Jobs/CancelJob.cs", "public sealed class CancelJob;", true)]
    [InlineData("src/Jobs/CancelJob.cs", "namespace A; public delegate void Cancel();", true)]
    [InlineData("src/Jobs/CancelJob.cs", "namespace A { public enum Cancel { A } }", true)]
    [InlineData("src/Jobs/CancelJob.cs", "internal sealed class CancelJob { public sealed class Inner; }", false)]
    [InlineData("src/Jobs/Contracts/CancelJob.cs", "public sealed class CancelJob;", false)]
    [InlineData("src/Jobs/JobsModule.cs", "public static class JobsModule;", false)]
    [InlineData("src/Jobs/JobsModule.cs", "public static class TracksModule;", true)]
    [InlineData("src/Kernel/Page.cs", "public sealed class Page;", false)]
    public void A_public_type_outside_the_contracts_is_found(string path, string text, bool found) =>
        Assert.Equal(found, PublicSurface.Check([new SourceFile(path, text)]).Any());

    [Theory]
    [InlineData(400, false)]
    [InlineData(401, true)]
    public void A_long_file_is_found(int lines, bool found) =>
        Assert.Equal(found, Sizes.Check([new SourceFile("python/a.py", string.Concat(Enumerable.Repeat("pass\n", lines)))]).Any());

    [Theory]
    [InlineData(57, false)]
    [InlineData(58, true)]
    public void A_long_method_is_found(int statements, bool found)
    {
        var body = string.Concat(Enumerable.Repeat("        F();\n", statements));

        var violations = Sizes.Check([new SourceFile("src/A/A.cs", $"class A\n{{\n    void F()\n    {{\n{body}    }}\n}}\n")]).ToList();

        Assert.Equal(found ? ["src/A/A.cs:F"] : [], violations.Select(violation => violation.Where));
    }

    [Theory]
    [InlineData("class A { void F(int a, int b, int c, int d, int e, int f) {} }", false)]
    [InlineData("class A { void F(int a, int b, int c, int d, int e, int f, int g) {} }", true)]
    [InlineData("class A(int a, int b, int c, int d, int e, int f, int g);", true)]
    [InlineData("record A(int a, int b, int c, int d, int e, int f, int g);", false)]
    [InlineData("class A { A(int a, int b, int c, int d, int e, int f, int g) {} }", true)]
    [InlineData("class A { void F() { void G(int a, int b, int c, int d, int e, int f, int g) {} } }", true)]
    public void A_long_parameter_list_is_found(string text, bool found) =>
        Assert.Equal(found, Sizes.Check([new SourceFile("src/A/A.cs", text)]).Any());

    [Theory]
    [InlineData("DateTime.Now", true)]
    [InlineData("DateTimeOffset.UtcNow.AddDays(1)", true)]
    [InlineData("System.DateTime.UtcNow", true)]
    [InlineData("time.GetUtcNow()", false)]
    public void A_clock_of_ones_own_is_found(string expression, bool found) =>
        Assert.Equal(found, Code.Clock([Method($"var a = {expression};")]).Any());

    [Theory]
    [InlineData("async void F() { }", true)]
    [InlineData("void F() { async void G() { } }", true)]
    [InlineData("async Task F() { }", false)]
    [InlineData("void F() { }", false)]
    public void An_async_void_is_found(string member, bool found) => Assert.Equal(found, Code.AsyncVoid([Member(member)]).Any());

    [Theory]
    [InlineData("task.GetAwaiter().GetResult();", true)]
    [InlineData("await task;", false)]
    public void A_blocked_task_is_found(string statement, bool found) => Assert.Equal(found, Code.Blocking([Method(statement)]).Any());

    [Theory]
    [InlineData("try { F(); } catch { }", true)]
    [InlineData("try { F(); } catch (IOException) { }", true)]
    [InlineData("try { F(); } catch (IOException)\n{\n// The file is gone, which is what was asked for.\n}", false)]
    [InlineData("try { F(); } catch (IOException) { G(); }", false)]
    public void A_swallowed_exception_is_found(string statement, bool found) => Assert.Equal(found, Code.EmptyCatch([Method(statement)]).Any());

    [Theory]
    [InlineData("[Fact(Skip = \"later\")] void F() { }", true)]
    [InlineData("[Fact] void F() { Assert.True(true); }", true)]
    [InlineData("[Fact] void F() { Assert.True(G()); }", false)]
    public void A_skipped_test_is_found(string member, bool found) => Assert.Equal(found, Code.Skipped([Member(member)]).Any());

    [Theory]
    [InlineData("JobManager", true)]
    [InlineData("PathHelper", true)]
    [InlineData("Orchestrator", false)]
    public void A_vague_name_is_found(string name, bool found) =>
        Assert.Equal(found, Code.Names([new SourceFile("src/Jobs/A.cs", $"internal sealed class {name};")]).Any());

    [Theory]
    [InlineData("class A {", true)]
    [InlineData("class A { int B => field; }", false)]
    public void A_broken_file_is_found(string text, bool found) => Assert.Equal(found, Code.Parses([new SourceFile("src/A/A.cs", text)]).Any());

    [Theory]
    [InlineData("src/Storage/Blobs/A.cs", "File.ReadAllText(path);", true)]
    [InlineData("src/Storage/Blobs/A.cs", "new FileStream(path, FileMode.Open);", true)]
    [InlineData("src/Storage.S3/A.cs", "Directory.Delete(path);", true)]
    [InlineData("src/Storage/Files/A.cs", "File.OpenHandle(path);", false)]
    [InlineData("src/Jobs/A.cs", "File.ReadAllText(path);", false)]
    [InlineData("src/Jobs/A.cs", "data.Path(\"blobs\", account);", true)]
    [InlineData("src/Jobs/A.cs", "Open(\"blobs/\" + account);", true)]
    [InlineData("src/Jobs/A.cs", "data.Path(\"tasks\", job);", false)]
    public void An_open_past_the_gate_is_found(string path, string statement, bool found) =>
        Assert.Equal(found, BlobPaths.Check([new SourceFile(path, $"class A {{ void F() {{ {statement} }} }}")]).Any());

    [Theory]
    [InlineData("// TODO later", true)]
    [InlineData("# FIXME", true)]
    [InlineData("throw new NotImplementedException();", true)]
    [InlineData("good enough for now", true)]
    [InlineData("mastodon", false)]
    public void Unfinished_work_is_found(string text, bool found) => Assert.Equal(found, Words.Check([new SourceFile("src/A/A.cs", text)]).Any());

    [Theory]
    [InlineData("| 6.1 | a fact | `tests/A.cs#It_works` |", 46)]
    [InlineData("| 6.1 | a fact | `tests/A.cs#It_works` |\n| 6.1 | again | `tests/A.cs#It_works` |", 47)]
    [InlineData("| 6.1 | a fact | `tests/A.cs#It_worked` |", 47)]
    [InlineData("| 6.1 | a fact | `tests/B.cs#It_works` |", 47)]
    [InlineData("| 6.1 | a fact | soon |", 47)]
    [InlineData("| 6.1 | a fact | none: its client never sends it |", 46)]
    public void A_fact_without_its_test_is_found(string notes, int found) =>
        Assert.Equal(found, WireFacts.Check(notes, [new SourceFile("tests/A.cs", "class A { [Fact] void It_works() { } }")]).Count());

    [Fact]
    public void A_waiver_covers_its_rule_and_place_only()
    {
        var waivers = new Waivers(["# a comment", "", "parameters | src/A/A.cs:F | 2026-11-21 | the protocol's own seven"]);
        var waived = new Violation("parameters", "src/A/A.cs:F", "7");
        Violation[] others = [waived with { Rule = "method-lines" }, waived with { Where = "src/A/A.cs:G" }];

        Assert.Equal(others, waivers.Unwaived([waived, .. others]));
        Assert.Empty(waivers.Unused([waived]));
        Assert.Equal(["parameters | src/A/A.cs:F"], waivers.Unused(others));
    }

    [Theory]
    [InlineData("parameters | src/A/A.cs:F | 2026-11-21")]
    [InlineData("parameters | src/A/A.cs:F | 2026-11-21 | ")]
    [InlineData("parameters | src/A/A.cs:F | soon | reason")]
    public void A_waiver_without_reason_or_date_is_refused(string line) => Assert.Throws<FormatException>(() => new Waivers([line]));

    private static SourceFile Method(string statement) => Member($"async Task F() {{ {statement} }}");

    private static SourceFile Member(string member) => new("src/A/A.cs", $"class A {{ {member} }}");
}
