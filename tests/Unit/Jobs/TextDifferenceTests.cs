using Zaffre.Jobs.Differences;

namespace Zaffre.Tests.Unit.Jobs;

/// <summary>Which lines are said to differ.</summary>
public sealed class TextDifferenceTests
{
    [Theory]
    [InlineData("a\nb\nc", "a\nb\nc\n", "")]
    [InlineData("a\r\nb", "a\nb", "")]
    [InlineData("", "a\nb", "lines 1-2 added")]
    [InlineData("a\nb\nc", "a\nc", "line 2 removed")]
    [InlineData("a\nb\nc", "a\nx\ny\nc", "lines 2-3")]
    [InlineData("a\nb\nc\nd\ne\nf", "a\nB\nc\nd\ne\nf\ng", "line 2, line 7 added")]
    [InlineData("x", "y", "line 1")]
    public void Lines_are_named_by_their_place(string before, string after, string expected) =>
        Assert.Equal(expected, string.Join(", ", TextDifference.Of(before, after)));

    [Fact]
    public void The_hunks_turn_any_text_into_any_other_and_touch_no_more_than_they_must()
    {
        var random = new Random(11);
        for (var round = 0; round < 3000; round++)
        {
            var (old, now) = (Lines(random), Lines(random));
            var hunks = TextDifference.Of(string.Join('\n', old) + "\n", string.Join('\n', now) + "\n");
            var made = old.ToList();
            foreach (var hunk in hunks.Reverse())
            {
                made.RemoveRange(hunk.OldStart - 1, hunk.OldCount);
                made.InsertRange(hunk.OldStart - 1, now.Skip(hunk.NewStart - 1).Take(hunk.NewCount));
            }

            Assert.Equal(now, made);
            Assert.Equal(old.Length + now.Length - (2 * Common(old, now)), hunks.Sum(hunk => hunk.OldCount + hunk.NewCount));
        }
    }

    [Fact]
    public void Texts_with_nothing_in_common_are_one_hunk_and_cost_no_square()
    {
        var old = string.Join('\n', Enumerable.Range(0, 50_000).Select(line => $"old {line}"));
        var now = string.Join('\n', Enumerable.Range(0, 50_000).Select(line => $"new {line}"));
        Assert.Equal(new Hunk(1, 50_000, 1, 50_000), Assert.Single(TextDifference.Of(old, now)));
    }

    private static string[] Lines(Random random) => [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => ((char)('a' + random.Next(4))).ToString())];

    private static int Common(string[] one, string[] other)
    {
        var longest = new int[one.Length + 1, other.Length + 1];
        for (var x = 1; x <= one.Length; x++)
        {
            for (var y = 1; y <= other.Length; y++)
            {
                longest[x, y] = one[x - 1] == other[y - 1] ? longest[x - 1, y - 1] + 1 : Math.Max(longest[x - 1, y], longest[x, y - 1]);
            }
        }

        return longest[one.Length, other.Length];
    }
}
