using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Zaffre.Storage.Names;

namespace Zaffre.Tests.Unit.Storage;

public sealed class BlobPathTests
{
    private static readonly Config Many = Config.QuickThrowOnFailure.WithMaxTest(5000);

    [Theory]
    [InlineData("data/train.csv", "data/train.csv", "data/~zf.ftrain.csv")]
    [InlineData("a//b", "a/~zf.q/b", "a/~zf.q/~zf.fb")]
    [InlineData("a/", "a/~zf.q", "a/~zf.f")]
    [InlineData("/a", "~zf.q/a", "~zf.q/~zf.fa")]
    [InlineData("../x", "~zf.q../x", "~zf.q../~zf.fx")]
    [InlineData("x/.", "x/~zf.q.", "x/~zf.f.")]
    [InlineData("~zf.qa", "~zf.q~zf.qa", "~zf.f~zf.qa")]
    [InlineData("~other", "~other", "~zf.f~other")]
    public void Names_have_the_documented_paths(string name, string plain, string beside)
    {
        Assert.Equal(plain, BlobPath.Encode(name));
        Assert.Equal(beside, BlobPath.EncodeBeside(name));
    }

    [Fact]
    public void Segments_too_long_for_a_file_name_become_folders_of_pieces()
    {
        var path = BlobPath.Encode(new string('x', 600) + "/y");
        Assert.Equal($"~zf.+{new string('x', 250)}/~zf.+{new string('x', 250)}/~zf.q{new string('x', 100)}/y", path);
        Assert.Equal(new string('x', 255), BlobPath.Encode(new string('x', 255)));
    }

    [Fact]
    public void Every_name_comes_back_from_both_of_its_paths() => Check.One(Many, Prop.ForAll(Arb.From(BlobNames.Names), name =>
    {
        Assert.True(BlobPath.TryDecode(BlobPath.Encode(name), out var plain));
        Assert.Equal(name, plain);
        Assert.True(BlobPath.TryDecode(BlobPath.EncodeBeside(name), out var beside));
        Assert.Equal(name, beside);
    }));

    [Fact]
    public void Every_path_is_a_legal_tree() => Check.One(Many, Prop.ForAll(Arb.From(BlobNames.Names), name =>
    {
        foreach (var path in (string[])[BlobPath.Encode(name), BlobPath.EncodeBeside(name)])
        {
            Assert.All(path.Split('/'), entry =>
            {
                Assert.InRange(Encoding.UTF8.GetByteCount(entry), 1, 255);
                Assert.False(entry is "." or "..");
            });
            Assert.True(Encoding.UTF8.GetByteCount(path) < 4000);
        }
    }));

    [Fact]
    public void No_two_names_share_a_path() => Check.One(Many, Prop.ForAll(Arb.From(BlobNames.Names), Arb.From(BlobNames.Names), (x, y) =>
    {
        string[] ofX = [BlobPath.Encode(x), BlobPath.EncodeBeside(x)];
        string[] ofY = [BlobPath.Encode(y), BlobPath.EncodeBeside(y)];
        Assert.True(x == y || !ofX.Intersect(ofY, StringComparer.Ordinal).Any());
    }));

    [Theory]
    [InlineData("~zf.x")]
    [InlineData("~zf.")]
    [InlineData("~zf.qplain")]
    [InlineData("~zf.+piece/rest")]
    [InlineData("~zf.fa/b")]
    [InlineData("~zf.+")]
    public void Paths_that_no_name_has_are_no_names(string path) => Assert.False(BlobPath.TryDecode(path, out _));

    [Fact]
    public void Names_are_ordered_by_code_point() => Check.One(Many, Prop.ForAll(Arb.From(BlobNames.Names), Arb.From(BlobNames.Names), (x, y) =>
    {
        var expected = Encoding.UTF8.GetBytes(x).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y));
        Assert.Equal(Math.Sign(expected), Math.Sign(NameOrder.Instance.Compare(x, y)));
    }));

    [Theory]
    [InlineData("azureml-blobstore", true)]
    [InlineData("$root", true)]
    [InlineData("ab", false)]
    [InlineData("Abc", false)]
    [InlineData("a--b", false)]
    [InlineData("-abc", false)]
    [InlineData("abc-", false)]
    [InlineData("a.b", false)]
    [InlineData("..", false)]
    public void Container_names_follow_the_rules_of_the_service(string name, bool legal) => Assert.Equal(legal, NameRules.IsContainer(name));

    [Fact]
    public void Blob_names_follow_the_rules_of_the_service()
    {
        Assert.True(NameRules.IsBlob(new string('a', 1024)));
        Assert.False(NameRules.IsBlob(new string('a', 1025)));
        Assert.False(NameRules.IsBlob(""));
        Assert.False(NameRules.IsBlob("a\0b"));
        Assert.False(NameRules.IsBlob("half \ud83d"));
        Assert.True(NameRules.IsBlob(string.Join('/', Enumerable.Repeat("s", 254))));
        Assert.False(NameRules.IsBlob(string.Join('/', Enumerable.Repeat("s", 255))));
    }
}
