using System.Text;
using Zaffre.Assets.Yaml;

namespace Zaffre.Tests.Unit.Assets;

public sealed class YamlParserTests
{
    [Theory]
    [InlineData("a: 1", "{\"a\":1}")]
    [InlineData("a: 0.5\nb: 1e3", "{\"a\":0.5,\"b\":1000}")]
    [InlineData("a: '1'\nb: \"true\"", "{\"a\":\"1\",\"b\":\"true\"}")]
    [InlineData("a: true\nb: ~\nc: null\nd:", "{\"a\":true,\"b\":null,\"c\":null,\"d\":null}")]
    [InlineData("a: [1, x, {y: z}]", "{\"a\":[1,\"x\",{\"y\":\"z\"}]}")]
    [InlineData("a: nan\nb: infinity\nc: 1.2.3", "{\"a\":\"nan\",\"b\":\"infinity\",\"c\":\"1.2.3\"}")]
    [InlineData("a: &x {p: 1}\nb: *x\nc: {<<: *x, q: 2}", "{\"a\":{\"p\":1},\"b\":{\"p\":1},\"c\":{\"q\":2,\"p\":1}}")]
    [InlineData("a: !!str 5", "{\"a\":\"5\"}")]
    [InlineData("a: |\n  one\n  two\n", "{\"a\":\"one\\ntwo\\n\"}")]
    public void Yaml_becomes_the_json_it_means(string yaml, string json) =>
        Assert.Equal(json, YamlParser.Parse(yaml).ToJson()!.ToJsonString());

    [Theory]
    [InlineData("a: [1\nb: 2\n", 1)]
    [InlineData("a: 1\na: 2", 2)]
    [InlineData("a: 1\n---\nb: 2", 2)]
    [InlineData("a: *nowhere", 1)]
    [InlineData("a: !!python/object:os.system x\nb: !mine y", 2)]
    [InlineData("a: 1\nb: @x", 2)]
    [InlineData("? [a]\n: b", 1)]
    [InlineData("a: &x [*x]", 1)]
    public void Broken_yaml_says_where(string yaml, int line) =>
        Assert.Equal(line, Assert.Throws<YamlFault>(() => YamlParser.Parse(yaml)).Line);

    [Fact]
    public void An_alias_bomb_is_refused_before_it_expands()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 10; i++)
        {
            bomb.Append($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        }

        Assert.Contains("aliases", Assert.Throws<YamlFault>(() => YamlParser.Parse(bomb.ToString())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60, true)]
    [InlineData(70, false)]
    [InlineData(5000, false)]
    public void Depth_is_bounded(int depth, bool fits)
    {
        var text = "a: " + new string('[', depth) + new string(']', depth);
        if (fits)
        {
            YamlParser.Parse(text);
        }
        else
        {
            Assert.Throws<YamlFault>(() => YamlParser.Parse(text));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Broken_text_of_any_kind_is_a_fault_with_a_place_and_nothing_else(int seed)
    {
        const string Sample = "a: &x [1, 'two', \"three\"]\nb:\n  - *x\n  - {c: d, <<: {e: f}}\n# note\nlong: |+\n  text\n\nfolded: >-\n  more\n? key\n: !!str 5\n%TAG\n---\n...\n";
        const string Noise = "&*[]{}:-?!|>'\"%@`#,~ \t\n\r\0\u0085\u2028\ufeff\\x0<.";
        var random = new Random(seed);
        for (var round = 0; round < 1000; round++)
        {
            var text = new StringBuilder(Sample);
            for (var change = random.Next(1, 8); change > 0; change--)
            {
                var at = random.Next(text.Length);
                _ = random.Next(3) switch
                {
                    0 => text.Remove(at, Math.Min(random.Next(1, 10), text.Length - at)),
                    1 => text.Insert(at, Noise[random.Next(Noise.Length)]),
                    _ => text.Insert(at, text.ToString(at, Math.Min(20, text.Length - at))),
                };
            }

            try
            {
                YamlParser.Parse(text.ToString()).ToJson();
            }
            catch (YamlFault fault)
            {
                Assert.True(fault.Line >= 0 && fault.Column >= 0);
            }
        }
    }
}
