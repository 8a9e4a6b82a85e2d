using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Storage;
using Zaffre.Tracking;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>Artifacts of runs as tables.</summary>
public sealed class TableTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private string Base => $"/zaffre/v1{host.Workspace.Id}";

    [Theory]
    [InlineData("a.csv", "a,b,c\r\n1,x,true\r\n2.5,\"y,\"\"z\"\"\nw\",False\r\n,,\r\n", "csv", "a:number b:text c:boolean", "[[1,\"x\",true],[2.5,\"y,\\\"z\\\"\\nw\",false],[null,null,null]]")]
    [InlineData("bom.csv", "\uFEFFa\n1\n\n2\n", "csv", "a:number", "[[1],[2]]")]
    [InlineData("nan.csv", ",x\n0,NaN\n1,-inf\n2,3", "csv", "column 0:number x:number", "[[0,\"NaN\"],[1,\"-Infinity\"],[2,3]]")]
    [InlineData("a.tsv", "a\tb\n1\tx y\n", "tsv", "a:number b:text", "[[1,\"x y\"]]")]
    [InlineData("empty.csv", "", "csv", "", "[]")]
    [InlineData("a.jsonl", "{\"a\":1,\"b\":\"x\"}\n\n{\"a\":NaN,\"c\":[1]}\n", "jsonl", "a:number b:text c:json", "[[1,\"x\",null],[\"NaN\",null,[1]]]")]
    [InlineData("log_table.json", "{\"columns\":[\"q\",\"score\"],\"data\":[[\"a\",0.5],[\"b\",null]]}", "split", "q:text score:number", "[[\"a\",0.5],[\"b\",null]]")]
    [InlineData("azure_table.json", "{\"x\":[1,2,3],\"y\":[0.1,0.2,NaN]}", "columns", "x:number y:number", "[[1,0.1],[2,0.2],[3,\"NaN\"]]")]
    [InlineData("azure_row.json", "{\"x\":1,\"y\":\"b\"}", "row", "x:number y:text", "[[1,\"b\"]]")]
    [InlineData("pandas.json", "{\"a\":{\"0\":1,\"1\":2},\"b\":{\"0\":\"x\",\"1\":\"y\"}}", "columns", "a:number b:text", "[[1,\"x\"],[2,\"y\"]]")]
    [InlineData("records.json", "[{\"a\":1},{\"a\":2,\"b\":true}]", "records", "a:number b:boolean", "[[1,null],[2,true]]")]
    [InlineData("rows.json", "[[1,2],[3]]", "rows", "0:number 1:number", "[[1,2],[3,null]]")]
    public async Task Tables_are_read_as_typed_rows(string path, string text, string format, string columns, string rows)
    {
        var run = await RunAsync((path, Encoding.UTF8.GetBytes(text)));
        var found = await OkAsync(run, path);
        Assert.Equal(("table", format, columns), (found["kind"]!.ToString(), found["format"]!.ToString(), string.Join(' ', found["columns"]!.AsArray().Select(column => $"{column!["name"]}:{column["type"]}"))));
        Assert.Equal(JsonNode.Parse(rows)!.ToJsonString(), found["rows"]!.ToJsonString());
        Assert.Equal(Encoding.UTF8.GetByteCount(text), (long)found["size"]!);
        Assert.Null(found["nextLink"]);
    }

    [Fact]
    public async Task Confusion_matrices_and_other_documents_of_azureml_core_are_known()
    {
        var run = await RunAsync(
            ("confusion.json", """{"schema_type":"confusion_matrix","schema_version":"1.0.0","data":{"class_labels":["cat","dog"],"matrix":[[5,1],[2,7]]}}"""u8.ToArray()),
            ("accuracy.json", """{"schema_type":"accuracy_table","schema_version":"1.0.1","data":{"class_labels":["0"],"probability_thresholds":[0.0,0.5],"probability_tables":[[[2,0,1,0],[1,1,1,0]]],"percentile_thresholds":[],"percentile_tables":[]}}"""u8.ToArray()),
            ("residuals.json", """{"schema_type":"residuals","schema_version":"1.0.0","data":{"bin_edges":[1,2,3],"bin_counts":[4,5]}}"""u8.ToArray()),
            ("bad.json", """{"schema_type":"confusion_matrix","schema_version":"1.0.0","data":{"class_labels":["cat","dog"],"matrix":[[5,1]]}}"""u8.ToArray()));
        var confusion = await OkAsync(run, "confusion.json");
        Assert.Equal(("confusionMatrix", """["cat","dog"]""", """[[5,1],[2,7]]""", """[["cat",5,1],["dog",2,7]]"""), (confusion["kind"]!.ToString(), confusion["labels"]!.ToJsonString(), confusion["matrix"]!.ToJsonString(), confusion["rows"]!.ToJsonString()));
        Assert.Equal("""[["0",0.0,2,0,1,0],["0",0.5,1,1,1,0]]""", (await OkAsync(run, "accuracy.json"))["rows"]!.ToJsonString());
        Assert.Equal(("residuals", "[[1,4],[2,5],[3,null]]"), ((await OkAsync(run, "residuals.json"))["kind"]!.ToString(), (await OkAsync(run, "residuals.json"))["rows"]!.ToJsonString()));
        Assert.Contains("2 rows of 2", await FailsAsync(run, "path=bad.json", HttpStatusCode.BadRequest, "InvalidTable"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pictures_tell_their_kind_and_size()
    {
        byte[] png = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 2, 0x80, 0, 0, 1, 0xE0];
        byte[] jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0, 0, 0xFF, 0xC0, 0, 11, 8, 0, 10, 0, 20, 3, 0, 0, 0];
        var run = await RunAsync(("training_confusion_matrix.png", png), ("a.jpg", jpeg), ("a.svg", "<svg xmlns='x'/>"u8.ToArray()), ("model.pkl", [1, 2, 3]));
        var found = await OkAsync(run, "training_confusion_matrix.png");
        Assert.Equal(("image", "image/png", 640, 480, png.Length), (found["kind"]!.ToString(), found["contentType"]!.ToString(), (int)found["width"]!, (int)found["height"]!, (int)found["size"]!));
        Assert.Equal((20, 10), ((int)(await OkAsync(run, "a.jpg"))["width"]!, (int)(await OkAsync(run, "a.jpg"))["height"]!));
        Assert.Equal("image/svg+xml", (await OkAsync(run, "a.svg"))["contentType"]!.ToString());
        await FailsAsync(run, "path=model.pkl", HttpStatusCode.BadRequest, "OperationNotSupported");
    }

    [Fact]
    public async Task Long_tables_come_page_by_page_and_every_row_once()
    {
        var csv = new StringBuilder("i,text\n");
        var lines = new StringBuilder();
        foreach (var i in Enumerable.Range(0, 2500))
        {
            csv.Append(i).Append(",\"line ").Append(i).Append("\nof two, lines\"\n");
            lines.Append("{\"i\":").Append(i).Append("}\n");
        }

        var run = await RunAsync(("long.csv", Encoding.UTF8.GetBytes(csv.ToString())), ("long.jsonl", Encoding.UTF8.GetBytes(lines.ToString())), ("long.json", Encoding.UTF8.GetBytes("[" + string.Join(',', Enumerable.Range(0, 2500)) + "]")));
        using var client = await host.OwnerAsync();
        foreach (var path in new[] { "long.csv", "long.jsonl", "long.json" })
        {
            var read = new List<int>();
            var next = $"{Base}/runs/{run}/tables?path={path}&limit=700";
            while (next is not null)
            {
                var page = JsonNode.Parse(await client.GetStringAsync(new Uri(next, UriKind.RelativeOrAbsolute)))!;
                Assert.Equal(read.Count, (int)page["offset"]!);
                read.AddRange(page["rows"]!.AsArray().Select(row => (int)row![0]!));
                next = page["nextLink"]?.ToString();
            }

            Assert.Equal(Enumerable.Range(0, 2500), read);
        }
    }

    [Fact]
    public async Task Broken_and_foreign_files_are_refused_with_the_line()
    {
        var run = await RunAsync(
            ("open.csv", "a,b\n1,2\n3,\"x\n"u8.ToArray()), ("ragged.csv", "a,b\n1,2\n\"x\ny\",2\n1,2,3\n"u8.ToArray()), ("after.csv", "a\n\"x\"y\n"u8.ToArray()), ("latin.csv", [0x61, 0x0A, 0xE9, 0x0A]),
            ("utf16.csv", [0xFF, 0xFE, 0x61, 0]), ("broken.json", "{\n\"a\": [1,\n2\n"u8.ToArray()), ("broken.jsonl", "{\"a\":1}\nnope\n"u8.ToArray()), ("deep.json", Encoding.UTF8.GetBytes(new string('[', 5000))),
            ("other.json", """{"a":1,"b":[1]}"""u8.ToArray()), ("ragged.json", """{"columns":["a","b"],"data":[[1]]}"""u8.ToArray()), ("huge.json", new byte[33 * 1024 * 1024]));
        foreach (var (path, line) in new[] { ("open.csv", 3), ("ragged.csv", 5), ("after.csv", 2), ("latin.csv", 2), ("utf16.csv", 1), ("broken.json", 4), ("broken.jsonl", 2), ("deep.json", 1) })
        {
            var said = await FailsAsync(run, "path=" + path, HttpStatusCode.BadRequest, "InvalidTable");
            Assert.True(said.Contains($"line {line}:", StringComparison.Ordinal), $"{path}: {said}");
        }

        await FailsAsync(run, "path=other.json", HttpStatusCode.BadRequest, "OperationNotSupported");
        await FailsAsync(run, "path=ragged.json", HttpStatusCode.BadRequest, "InvalidTable");
        await FailsAsync(run, "path=huge.json", HttpStatusCode.BadRequest, "TableTooLarge");
        await FailsAsync(run, "path=nothing.csv", HttpStatusCode.NotFound, "ResourceNotFound");
        foreach (var query in new[] { "", "path=", "path=../x.csv", "path=%252e%252e/x.csv", "path=/etc/passwd", "path=open.csv&limit=0", "path=open.csv&limit=1001", "path=ragged.json&$skip=x", "path=open.csv&$skip=0.99999.0" })
        {
            await FailsAsync(run, query, HttpStatusCode.BadRequest, "UserError");
        }

        await FailsAsync("nobody", "path=open.csv", HttpStatusCode.NotFound, "ResourceNotFound");
        using var stranger = await host.PrincipalAsync(null);
        using var refused = await stranger.GetAsync(new Uri($"{Base}/runs/{run}/tables?path=open.csv", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task The_same_table_of_several_runs_is_laid_side_by_side()
    {
        var (a, b, c) = (await RunAsync(("t.csv", "x,y\n1,2\n"u8.ToArray())), await RunAsync(("t.csv", "x,z\n1,2\n"u8.ToArray())), await RunAsync());
        using var client = await host.OwnerAsync();
        var found = JsonNode.Parse(await client.GetStringAsync(new Uri($"{Base}/compare/tables?runs={a},{b},{c}&path=t.csv", UriKind.Relative)))!;
        Assert.Equal(("different", "x different y different z different"), (found["state"]!.ToString(), string.Join(' ', found["columns"]!.AsArray().Select(column => $"{column!["name"]} {column["state"]}"))));
        Assert.Equal("ResourceNotFound", found["runs"]![2]!["error"]!["code"]!.ToString());
        var same = JsonNode.Parse(await client.GetStringAsync(new Uri($"{Base}/compare/tables?runs={a},{await RunAsync(("t.csv", "x,y\n1,2\n"u8.ToArray()))}&path=t.csv", UriKind.Relative)))!;
        Assert.Equal(("same", "[[1,2]]"), (same["state"]!.ToString(), same["runs"]![1]!["table"]!["rows"]!.ToJsonString()));
    }

    private async Task<string> RunAsync(params (string Path, byte[] Content)[] files)
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        foreach (var (path, bytes) in files)
        {
            var place = (await host.Get<IDatastores>().ResolveAsync(host.Workspace, RunArtifacts.Datastore, default)).Value.Child($"{RunArtifacts.Prefix(run)}/{path}");
            using var content = new MemoryStream(bytes);
            Assert.True((await host.Get<IBlobStore>().PutAsync(new BlobAddress(place.Account, place.Container, place.Path), content, new BlobWrite(), default)).Succeeded);
        }

        return run;
    }

    private async Task<JsonNode> OkAsync(string run, string path) => JsonNode.Parse(await SendAsync(run, "path=" + path, HttpStatusCode.OK))!;

    private async Task<string> FailsAsync(string run, string query, HttpStatusCode status, string code)
    {
        var text = await SendAsync(run, query, status);
        Assert.True(JsonNode.Parse(text)!["error"]!["code"]!.ToString() == code, $"{query}: {text}");
        return text;
    }

    private async Task<string> SendAsync(string run, string query, HttpStatusCode status)
    {
        using var client = await host.OwnerAsync();
        using var answer = await client.GetAsync(new Uri($"{Base}/runs/{run}/tables?{query}", UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == answer.StatusCode, $"{query}: {answer.StatusCode} {text}");
        return text;
    }
}
