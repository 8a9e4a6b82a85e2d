using Zaffre.Assets;

namespace Zaffre.Jobs.Yaml;

/// <summary>
/// What <c>az ml</c> reads and this server has no engine for: it is checked as the client library checks it, so that its mistakes are told, and then refused
/// by name.
/// </summary>
internal static class WithoutEngineYaml
{
    private static readonly Dictionary<string, string[]> Jobs = new(StringComparer.OrdinalIgnoreCase)
    {
        ["sweep"] = ["SweepJobSchema"],
        ["spark"] = ["SparkJobSchema"],
        ["parallel"] = ["PipelineParallelJobSchema"],
        ["import"] = ["ImportJobSchema"],
        ["distillation"] = ["DistillationJobSchema"],
        ["finetuning"] = ["CustomModelFineTuningSchema", "AzureOpenAIFineTuningSchema"],
    };

    private static readonly Dictionary<string, string[]> Steps = new(StringComparer.OrdinalIgnoreCase)
    {
        ["sweep"] = ["SweepSchema"],
        ["spark"] = ["SparkSchema", "SparkJobSchema"],
        ["parallel"] = ["ParallelSchema", "PipelineParallelJobSchema"],
        ["import"] = ["ImportSchema", "ImportJobSchema"],
        ["finetuning"] = ["CustomModelFineTuningSchema", "AzureOpenAIFineTuningSchema"],
    };

    private static readonly Dictionary<string, string[]> Components = new(StringComparer.OrdinalIgnoreCase)
    {
        ["spark"] = ["SparkComponentSchema"],
        ["parallel"] = ["ParallelComponentSchema"],
        ["import"] = ["ImportComponentSchema"],
    };

    private static readonly Dictionary<string, string> Transfers = new(StringComparer.OrdinalIgnoreCase)
    {
        ["copy_data"] = "Copy",
        ["import_data"] = "Import",
        ["export_data"] = "Export",
    };

    private static readonly Dictionary<string, string> AutoMlTasks = new(StringComparer.OrdinalIgnoreCase)
    {
        ["classification"] = "AutoMLClassificationSchema",
        ["regression"] = "AutoMLRegressionSchema",
        ["forecasting"] = "AutoMLForecastingSchema",
        ["image_classification"] = "ImageClassificationSchema",
        ["image_classification_multilabel"] = "ImageClassificationMultilabelSchema",
        ["image_object_detection"] = "ImageObjectDetectionSchema",
        ["image_instance_segmentation"] = "ImageInstanceSegmentationSchema",
        ["text_classification"] = "TextClassificationSchema",
        ["text_classification_multilabel"] = "TextClassificationMultilabelSchema",
        ["text_ner"] = "TextNerSchema",
    };

    private static readonly string StepTypes = "command, pipeline, " + string.Join(", ", Submission.Pipelines.ControlFlowReader.Types);

    private static readonly string[] Identities = ["AMLTokenIdentitySchema", "UserIdentitySchema", "ManagedIdentitySchema"];

    private static readonly string[] Services = ["SshJobServiceSchema", "TensorBoardJobServiceSchema", "VsCodeJobServiceSchema", "JupyterLabJobServiceSchema", "JobServiceSchema"];

    /// <summary>Refuses a job of another type than command and pipeline.</summary>
    public static void RefuseJob(YamlMap root, string type) =>
        Refuse(root, type, "Jobs", Checked(root, type, Jobs, "JobSchema"), "'{0}' is no type of job: command, pipeline, " + string.Join(", ", Jobs.Keys.Append("automl").Append("data_transfer")) + ".");

    /// <summary>Refuses a step of another type than command and pipeline.</summary>
    public static void RefuseStep(YamlMap node, string type) => Refuse(
        node, type, "Steps", type is "fl_scatter_gather" || Checked(node, type, Steps, "JobSchema"), "'{0}' is no type of a step: " + StepTypes + ".");

    /// <summary>Refuses a component of another type than command and pipeline.</summary>
    public static void RefuseComponent(YamlMap map, string type) =>
        Refuse(map, type, "Components", Checked(map, type, Components, "ComponentSchema"), "'{0}' is no type of component: command, pipeline.");

    /// <summary>Checks the identity and the interactive services of a job or step, and refuses what they ask for.</summary>
    public static void CheckIdentityAndServices(YamlMap root)
    {
        if (root.Map("identity") is { } identity)
        {
            identity.CheckAgainst(Identities);
        }

        if (root.Map("services") is not { } services)
        {
            return;
        }

        foreach (var name in services.Keys)
        {
            if (services.Map(name) is { } service)
            {
                service.CheckAgainst(Services);
                services.Unsupported(name, $"Interactive services ({service.PeekText("type") ?? name}) are not supported.");
            }
        }
    }

    /// <summary>True when the type is known; what is wrong with the map is reported.</summary>
    private static bool Checked(YamlMap map, string type, Dictionary<string, string[]> schemas, string transfer)
    {
        if (schemas.TryGetValue(type, out var known))
        {
            map.CheckAgainst(known);
            return true;
        }

        map.ToJson();
        var (byTask, suffix) = type.ToLowerInvariant() switch
        {
            "automl" => (AutoMlTasks, ""),
            "data_transfer" => (Transfers, transfer),
            _ => (null, ""),
        };
        if (byTask is null)
        {
            return false;
        }

        if (map.Choice("task", [.. byTask.Keys], required: true) is { } task)
        {
            map.CheckAgainst(suffix.Length == 0 ? byTask[task] : $"DataTransfer{byTask[task]}{suffix}");
        }

        return true;
    }

    private static void Refuse(YamlMap map, string type, string what, bool known, string unknown)
    {
        map.ToJson();
        if (known)
        {
            map.Unsupported(map.Has("type") ? "type" : null, $"{what} of type {type} are not supported yet; {(what == "Steps" ? StepTypes : "command and pipeline")} are.");
        }
        else
        {
            map.Error("type", string.Format(System.Globalization.CultureInfo.InvariantCulture, unknown, type));
        }
    }
}
