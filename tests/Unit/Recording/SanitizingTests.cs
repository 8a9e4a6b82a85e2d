using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Recording.Sanitizing;

namespace Zaffre.Tests.Unit.Recording;

public sealed class SanitizingTests
{
    private readonly Placeholders names = new();
    private readonly Literals literals = new();
    private readonly TextRules text;

    public SanitizingTests() => text = new TextRules(names, literals);

    [Theory]
    [InlineData("id 0f8fad5b-d9cb-469f-a165-70867728950e and 0F8FAD5B-D9CB-469F-A165-70867728950E", "id {guid:1} and {guid:1}")]
    [InlineData("azureml-blobstore-0f8fad5b-d9cb-469f-a165-70867728950e/x", "azureml-blobstore-{guid:1}/x")]
    [InlineData("https://zfstore12345.blob.core.windows.net/c?sv=2021&sp=r&sig=ab%2Bc&se=2026", "https://{account:1}.blob.core.windows.net/c?{sas:1}")]
    [InlineData("<Url>https://data.blob.core.windows.net/c?comp=list&amp;sv=2021&amp;sig=abc&amp;sp=r</Url>", "<Url>https://data.blob.core.windows.net/c?comp=list&amp;{sas:1}</Url>")]
    [InlineData("AccountName=x;AccountKey=abcdef==;EndpointSuffix=y", "AccountName=x;AccountKey={secret:1};EndpointSuffix=y")]
    [InlineData("https://user:pass@example.org/x", "https://{secret:1}@example.org/x")]
    [InlineData("password = 'quoted1'; token = os.environ['X']", "password = '{secret:1}'; token = os.environ['X']")]
    [InlineData("a: 1\nMY_API_KEY=abcdefgh\n", "a: 1\nMY_API_KEY={secret:1}\n")]
    [InlineData("at 2026-11-21T01:02:03.1234567Z, Sat, 21 Nov 2026 01:02:03 GMT", "at {date}, {date}")]
    [InlineData("https://localhost:8443/ and https://x.blob.core.localhost:8444/", "https://localhost:{port:1}/ and https://x.blob.core.localhost:{port:2}/")]
    [InlineData("/home/somebody/x and me@example.org", "/home/{user:1}/x and {user:2}")]
    [InlineData("azureml:name@latest 2026-11-21 0.5 print('x') https://example.org:443/", "azureml:name@latest 2026-11-21 0.5 print('x') https://example.org:443/")]
    public void Text_is_cleaned_by_what_it_looks_like(string given, string cleaned) => Assert.Equal(cleaned, text.Clean(given, dates: true));

    [Fact]
    public void Dates_that_a_client_sends_stay() => Assert.Equal("2026-11-21T01:02:03Z", text.Clean("2026-11-21T01:02:03Z", dates: false));

    [Fact]
    public void A_secret_once_found_is_replaced_in_every_spelling()
    {
        Assert.Equal("{secret:1}", text.Secret("s3cret/+&value"));

        Assert.Equal("a {secret:1} b {secret:1} c {secret:1}", text.Clean("a s3cret/+&value b s3cret%2F%2B%26value c czNjcmV0LysmdmFsdWU=", dates: true));
        Assert.Equal("{secret:1}", text.Secret("s3cret/+&value"));
        Assert.Equal("{secret:2}", text.Secret("another one"));
    }

    [Fact]
    public void Members_are_judged_by_name_and_what_says_of_which_kind_a_secret_is_stays()
    {
        var json = new JsonRules(text, names);
        var cleaned = json.Clean(
            JsonNode.Parse("""{"credentials":{"credentialsType":"AccountKey","key":"hidden1"},"environmentVariables":{"DB_PASSWORD":"hidden2","EPOCHS":"3"},"tags":[{"key":"api_key","value":"hidden3"},{"key":"loss","value":"0.1"}],"parameters":{"adminPassword":{"value":"hidden4"}},"tokenType":"Bearer","nextPageToken":"abc","maxTokens":5,"password":null}"""),
            secrets: false,
            dates: true)!;

        Assert.Equal(
            """{"credentials":{"credentialsType":"AccountKey","key":"{secret:1}"},"environmentVariables":{"DB_PASSWORD":"{secret:2}","EPOCHS":"3"},"tags":[{"key":"api_key","value":"{secret:3}"},{"key":"loss","value":"0.1"}],"parameters":{"adminPassword":{"value":"{secret:4}"}},"tokenType":"Bearer","nextPageToken":"abc","maxTokens":5,"password":null}""",
            cleaned.ToJsonString(ZaffreJson.Options));
    }

    [Fact]
    public void Ids_that_an_answer_brings_are_placeholders_wherever_they_stand_and_hashes_stay()
    {
        const string Id = "0123456789abcdef0123456789abcdef";
        var json = new JsonRules(text, names);
        var answer = JsonNode.Parse($$$"""{"artifact_uri":"mlflow-artifacts:/{{{Id}}}/artifacts","info":{"run_id":"{{{Id}}}","hash":"fedcba9876543210fedcba9876543210"}}""");
        json.LearnIds(answer);

        Assert.Equal("""{"artifact_uri":"mlflow-artifacts:/{id:1}/artifacts","info":{"run_id":"{id:1}","hash":"fedcba9876543210fedcba9876543210"}}""", json.Clean(answer, secrets: false, dates: true)!.ToJsonString(ZaffreJson.Options));
        Assert.Equal("/runs/{id:1}", text.Clean("/runs/" + Id, dates: false));
    }

    [Fact]
    public void An_answer_of_secrets_keeps_none_of_its_texts() =>
        Assert.Equal(
            """{"secretsType":"Sas","whatever":"{secret:1}","list":["{secret:2}"]}""",
            new JsonRules(text, names).Clean(JsonNode.Parse("""{"secretsType":"Sas","whatever":"hidden-1","list":["hidden-2"]}"""), secrets: true, dates: true)!.ToJsonString(ZaffreJson.Options));
}
