using System.Globalization;
using Zaffre.Compute;
using Zaffre.Identity;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>The variables that a job finds: what Azure ML sets, what MLflow reads, and the certificates to trust.</summary>
internal sealed class JobVariables(IPublicUrls urls, ITokens tokens, JobOptions options, DataDirectory data)
{
    private const string BundleInTask = "/mnt/zaffre/ca-bundle.pem";

    public (Dictionary<string, string> Variables, IReadOnlyList<TaskBind> Binds) Of(
        JobRow job, JobPlan plan, JobTicket ticket, IReadOnlyDictionary<string, string> inputs, IReadOnlyDictionary<string, string> outputs)
    {
        var url = urls.Base(null);
        var workspace = job.Workspace;
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["LANG"] = "C.UTF-8",
            ["AZUREML_RUN_ID"] = job.Name,
            ["AZUREML_ROOT_RUN_ID"] = plan.Root ?? job.Name,
            ["AZUREML_ARM_SUBSCRIPTION"] = workspace.SubscriptionId,
            ["AZUREML_ARM_RESOURCEGROUP"] = workspace.ResourceGroup,
            ["AZUREML_ARM_WORKSPACE_NAME"] = workspace.Name,
            ["AZUREML_ARM_PROJECT_NAME"] = plan.Experiment,
            ["AZUREML_EXPERIMENT_ID"] = ticket.ExperimentId,
            ["AZUREML_EXPERIMENT_SCOPE"] = $"{workspace.Id}/experiments/{plan.Experiment}",
            ["AZUREML_WORKSPACE_SCOPE"] = workspace.Id.Value,
            ["AZUREML_WORKSPACE_ID"] = plan.WorkspaceId,
            ["AZUREML_DATA_CONTAINER_ID"] = "dcid." + job.Name,
            ["AZUREML_SERVICE_ENDPOINT"] = url,
            ["AZUREML_RUN_HISTORY_SERVICE_ENDPOINT"] = url,
            ["AZUREML_RUN_TOKEN"] = ticket.Token,
            ["AZUREML_RUN_TOKEN_EXPIRY"] = tokens.ExpiryOf(ticket.Token)?.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) ?? "",
            ["MLFLOW_TRACKING_URI"] = TrackingUri.Of(url, workspace),
            ["MLFLOW_TRACKING_TOKEN"] = ticket.Token,
            ["MLFLOW_RUN_ID"] = job.Name,
            ["MLFLOW_EXPERIMENT_ID"] = ticket.ExperimentId,
            ["MLFLOW_EXPERIMENT_NAME"] = plan.Experiment,
        };
        AddAll(variables, "AZURE_ML_INPUT_", inputs);
        AddAll(variables, "AZURE_ML_OUTPUT_", outputs);
        return (variables, Trust(variables));
    }

    /// <summary>
    /// The job's seed, for whoever has none of its own: <c>ZAFFRE_SEED</c> for programs that read it, <c>PYTHONHASHSEED</c> for the order of Python's sets. A job that is
    /// repeated has them again; what the environment or the job sets wins.
    /// </summary>
    public static Dictionary<string, string> Seed(JobRow job, JobPlan plan)
    {
        if (plan.Seed?.Of(plan.Root ?? job.Name, job.Name).ToString(CultureInfo.InvariantCulture) is not { } seed)
        {
            return [];
        }

        return new Dictionary<string, string>(StringComparer.Ordinal) { ["ZAFFRE_SEED"] = seed, ["PYTHONHASHSEED"] = seed };
    }

    /// <summary>
    /// Later ones win; only <c>PYTHONPATH</c> is joined, so that a job's own modules and the server's hooks are both found.
    /// </summary>
    public static Dictionary<string, string> Merge(params ReadOnlySpan<IReadOnlyDictionary<string, string>> layers)
    {
        var merged = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var layer in layers)
        {
            foreach (var (name, value) in layer)
            {
                merged[name] = name == "PYTHONPATH" && value.Length > 0 && merged.TryGetValue(name, out var before) && before.Length > 0
                    ? $"{value}:{before}"
                    : value;
            }
        }

        return merged;
    }

    private static void AddAll(Dictionary<string, string> variables, string prefix, IReadOnlyDictionary<string, string> values)
    {
        foreach (var (name, value) in values)
        {
            if (name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            {
                variables[prefix + name] = value;
            }
        }
    }

    private IReadOnlyList<TaskBind> Trust(Dictionary<string, string> variables)
    {
        var bundle = options.CertificateBundle ?? data.Path("tls", "ca-bundle.pem");
        if (!File.Exists(bundle))
        {
            return [];
        }

        foreach (var name in (string[])["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "MLFLOW_TRACKING_SERVER_CERT_PATH"])
        {
            variables[name] = BundleInTask;
        }

        return [new TaskBind(bundle, BundleInTask)];
    }
}
