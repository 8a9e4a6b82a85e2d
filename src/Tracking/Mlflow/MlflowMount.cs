using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Identity;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Traces;
using Zaffre.Web;

namespace Zaffre.Tracking.Mlflow;

/// <summary>
/// One place at which the MLflow API is served. <paramref name="Azure"/> mounts answer with <c>azureml://</c> artifact URIs, the
/// others with <c>mlflow-artifacts:</c> ones. <paramref name="InPath"/> mounts name their workspace in the path; the plain ones act
/// on the default workspace.
/// </summary>
internal sealed record MlflowMount(string Prefix, bool InPath, bool Azure) : IScopeOfRequest, IProblemShape
{
    /// <summary>
    /// Every mount. A tracking URI of <c>https://host</c> means the default workspace; <c>https://host/zaffre/v1/subscriptions/.../workspaces/NAME</c>
    /// means any workspace; the <c>/mlflow/v*</c> paths are what azureml-mlflow builds from a workspace's own tracking URI.
    /// </summary>
    public static IReadOnlyList<MlflowMount> All { get; } =
    [
        new("", InPath: false, Azure: false),
        new("/zaffre/v1", InPath: true, Azure: false),
        new("/mlflow/v1.0", InPath: true, Azure: true),
        new("/mlflow/v2.0", InPath: true, Azure: true),
    ];

    /// <summary>The workspace of plain mounts.</summary>
    public static WorkspaceRef DefaultWorkspace(HttpContext context) =>
        new(context.RequestServices.GetRequiredService<LocalOwner>().SubscriptionId, "zaffre", "main");

    public WorkspaceRef WorkspaceOf(HttpContext context)
    {
        var values = context.Request.RouteValues;
        return InPath
            ? new WorkspaceRef((string)values["subscriptionId"]!, (string)values["resourceGroupName"]!, (string)values["workspaceName"]!)
            : DefaultWorkspace(context);
    }

    public ArmId ScopeOf(HttpContext context) => WorkspaceOf(context).Id;

    public IResult Render(Problem problem) => new MlflowFailure(MlflowErrors.From(problem));

    /// <summary>The pattern of artifact URIs as this mount's clients read them.</summary>
    public ArtifactUris ArtifactUris(HttpContext context, WorkspaceRef workspace)
    {
        if (!Azure)
        {
            return new ArtifactUris("mlflow-artifacts:/", "/");
        }

        var address = context.PublicUrls().Base(context);
        return new ArtifactUris($"azureml://{new Uri(address).Authority}/mlflow/v2.0{workspace.Id}/experiments/", "/runs/")
        {
            Proxy = $"{address}/zaffre/v1{workspace.Id}/api/2.0/mlflow-artifacts/artifacts/",
        };
    }
}

/// <summary>An artifact URI is <paramref name="Root"/>, experiment id, <paramref name="Middle"/>, run id, <c>/artifacts</c>.</summary>
internal sealed record ArtifactUris(string Root, string Middle)
{
    public const string End = "/artifacts";

    /// <summary>True for the URIs that Azure's plugin reads.</summary>
    public bool Azure => Root.StartsWith("azureml:", StringComparison.Ordinal);

    /// <summary>
    /// Where what is no run's lies. Azure's plugin takes its own URIs for runs only; MLflow's own HTTP repository reads these.
    /// </summary>
    public string Proxy { get; init; } = Root;

    public string Of(LoggedModelRow model) => $"{Proxy}{model.ExperimentId}/models/{model.Id}{End}";

    public string Of(TraceRow trace) => $"{Proxy}{trace.ExperimentId}/traces/{trace.Id}{End}";

    public string Of(RunRow run) => Root + run.ExperimentId + Middle + run.Id + End;

    public string Of(ExperimentRow experiment) => Root + experiment.Id;
}
