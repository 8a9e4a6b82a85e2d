namespace Zaffre.Tests.Clients.Endpoints;

[Collection(ZaffreServer.OfJobs)]
public sealed class EndpointTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Modes), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_deploys_splits_invokes_updates_and_deletes(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "endpoints.py");
        Assert.Equal(
            ["create", "traffic_and_invoke", "keys", "logs", "failure", "update", "tokens", "delete"],
            steps);
    }

    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task A_model_of_mlflow_is_deployed_without_code_and_refuses_what_does_not_fit(Sdk sdk, string mode) =>
        Assert.Equal(["deploy", "invoke", "failure", "delete"], await server.StepsAsync(sdk, mode, "mlflow_endpoint.py"));
}
