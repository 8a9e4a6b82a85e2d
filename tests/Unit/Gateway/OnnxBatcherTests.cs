using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Gateway.Onnx;
using Zaffre.Gateway.Workers;

namespace Zaffre.Tests.Unit.Gateway;

/// <summary>Requests that are run together get the answers that they get alone.</summary>
public sealed class OnnxBatcherTests
{
    [Fact]
    public async Task Requests_that_come_together_are_run_together_and_each_gets_its_own_rows()
    {
        using var model = OnnxModels.Load("linear");
        model.Batch(32, TimeSpan.FromMilliseconds(200));
        List<string> bodies = [.. Enumerable.Range(0, 40).Select(i => $$"""{"inputs":[{{string.Join(',', Enumerable.Repeat($"[{i},1,2,3]", (i % 3) + 1))}}]}""")];
        var answers = await Task.WhenAll(bodies.Select(b => AskAsync(model, b)));
        foreach (var (body, (end, answer)) in bodies.Zip(answers))
        {
            Assert.Equal(ScoringEnd.Succeeded, end);
            OnnxModels.Same(OnnxModels.Ask(model, body), JsonNode.Parse(answer), body);
        }

        Assert.True(model.Batcher!.Runs < 40, $"{model.Batcher.Runs} runs");
    }

    [Fact]
    public async Task What_does_not_go_together_runs_alone_and_a_bad_request_spoils_no_other()
    {
        using var model = OnnxModels.Load("attention");
        model.Batch(32, TimeSpan.FromMilliseconds(100));
        string Body(int tokens) => $$"""{"inputs":[[{{string.Join(',', Enumerable.Repeat("[1,2,3,4,5,6,7,8]", tokens))}}]]}""";
        var answers = await Task.WhenAll(((string[])[Body(2), Body(3), Body(2), """{"inputs":[[[1]]]}"""]).Select(b => AskAsync(model, b)));
        Assert.Equal([ScoringEnd.Succeeded, ScoringEnd.Succeeded, ScoringEnd.Succeeded, ScoringEnd.Invalid], answers.Select(a => a.End));
        OnnxModels.Same(OnnxModels.Ask(model, Body(3)), JsonNode.Parse(answers[1].Answer), "three");
        using var towers = OnnxModels.Load("towers");
        towers.Batch(8, TimeSpan.FromMilliseconds(100));
        var outside = await Task.WhenAll(((int[])[3, 99, 4]).Select(i => AskAsync(towers, $$$"""{"inputs":{"item":[{{{i}}}],"features":[[1,2,3]]}}""")));
        Assert.Equal([ScoringEnd.Succeeded, ScoringEnd.Succeeded], [outside[0].End, outside[2].End]);
        Assert.NotEqual(ScoringEnd.Succeeded, outside[1].End);
    }

    [Fact]
    public void Models_without_a_free_first_size_cannot_be_batched()
    {
        using var model = OnnxModels.Load("count");
        Assert.Contains("'turns' is no tensor of numbers whose first size is free", Assert.Throws<InputException>(() => model.Batch(8, TimeSpan.Zero)).Message, StringComparison.Ordinal);
    }

    private static async Task<(ScoringEnd End, string Answer)> AskAsync(OnnxModel model, string body)
    {
        using var guard = new OnnxGuard(Path.Combine(Path.GetTempPath(), $"zaffre-guard-{Guid.NewGuid():N}"));
        var slot = model.Rent();
        try
        {
            var work = new OnnxWork(new ScoreCall(new DefaultHttpContext().Request, invocations: false), slot, guard, Encoding.UTF8.GetBytes(body), Stopwatch.GetTimestamp() + (60 * Stopwatch.Frequency));
            var end = work.Read();
            end = end == ScoringEnd.Succeeded ? (await model.Batcher!.RunAsync(work)).End : end;
            return (end, Encoding.UTF8.GetString(slot.Bytes.WrittenSpan));
        }
        finally
        {
            model.Return(slot);
        }
    }
}
