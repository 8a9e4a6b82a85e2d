using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Submission;

/// <summary>Reads the inputs and outputs of a job's document.</summary>
internal static class InputsAndOutputs
{
    public static InputSpec? ReadInput(JsonObject input, string path, Findings findings)
    {
        var sent = findings.Scalar(input, "jobInputType", path);
        var type = JobTypes.Input(sent);
        if (type is null)
        {
            findings.Invalid($"{path}.jobInputType", sent is null
                ? $"jobInputType is missing: {JobTypes.Allowed(literal: true)}."
                : $"'{sent}' is no jobInputType: {JobTypes.Allowed(literal: true)}.");
            return null;
        }

        if (type == JobTypes.Literal)
        {
            return ReadLiteral(input, path, findings);
        }

        var uri = findings.Scalar(input, "uri", path);
        if (string.IsNullOrWhiteSpace(uri))
        {
            if (input["uri"] is null or JsonValue)
            {
                findings.Invalid($"{path}.uri", $"uri is missing: where the {type} lies.");
            }

            return null;
        }

        return new InputSpec(type, uri, InputModeOf(input, path, findings));
    }

    public static OutputSpec? ReadOutput(JsonObject output, string path, Findings findings)
    {
        var sent = findings.Scalar(output, "jobOutputType", path);
        var type = JobTypes.Output(sent);
        if (type is null)
        {
            findings.Invalid($"{path}.jobOutputType", sent is null
                ? $"jobOutputType is missing: {JobTypes.Allowed(literal: false)}."
                : $"'{sent}' is no jobOutputType: {JobTypes.Allowed(literal: false)}.");
            return null;
        }

        var name = findings.Scalar(output, "assetName", path);
        if (!string.IsNullOrEmpty(name) && !Names.IsAsset(name))
        {
            findings.Invalid($"{path}.assetName", $"'{name}' is no name for an asset: letters, digits, - _ and ., 255 at most, beginning with a letter or digit.");
        }

        var version = findings.Scalar(output, "assetVersion", path);
        if (!string.IsNullOrEmpty(version) && !Names.IsAsset(version))
        {
            findings.Invalid($"{path}.assetVersion", $"'{version}' is no version of an asset.");
        }

        var uri = findings.Scalar(output, "uri", path);
        return new OutputSpec(type, OutputModeOf(findings.Scalar(output, "mode", path), path, findings) ?? OutputMode.Mount)
        {
            Uri = string.IsNullOrWhiteSpace(uri) ? null : uri,
            AssetName = string.IsNullOrEmpty(name) ? null : name,
            AssetVersion = string.IsNullOrEmpty(version) ? null : version,
        };
    }

    private static InputSpec? ReadLiteral(JsonObject input, string path, Findings findings)
    {
        var value = findings.Scalar(input, "value", path);
        if (value is null && input["value"] is null)
        {
            findings.Invalid($"{path}.value", "value is missing: a literal input needs one.");
        }

        if (value is not null && Encoding.UTF8.GetByteCount(value) > CommandReader.ArgumentLimit)
        {
            findings.Invalid($"{path}.value", $"the value is longer than {CommandReader.ArgumentLimit} bytes, which no command can be given. Give it as a file.");
        }

        return value is null ? null : new InputSpec(JobTypes.Literal, value, InputMode.Direct);
    }

    private static InputMode InputModeOf(JsonObject input, string path, Findings findings)
    {
        var mode = findings.Scalar(input, "mode", path);
        switch (mode?.ToUpperInvariant())
        {
            case null or "READONLYMOUNT":
                return InputMode.Mount;
            case "READWRITEMOUNT":
                return InputMode.Writable;
            case "DOWNLOAD":
                return InputMode.Download;
            case "DIRECT":
                return InputMode.Direct;
            case "EVALMOUNT" or "EVALDOWNLOAD" when !"mltable".Equals(ZaffreJson.Text(input["jobInputType"]), StringComparison.OrdinalIgnoreCase):
                findings.Invalid($"{path}.mode", $"mode {mode} is of inputs of type mltable only.");
                return InputMode.Mount;
            case "EVALMOUNT":
                return InputMode.EvalMount;
            case "EVALDOWNLOAD":
                return InputMode.EvalDownload;
            default:
                findings.Invalid($"{path}.mode", $"'{mode}' is no mode of an input: ReadOnlyMount, ReadWriteMount, Download, Direct, EvalMount, EvalDownload.");
                return InputMode.Mount;
        }
    }

    /// <summary>The mode of an output, or null when none is named.</summary>
    public static OutputMode? OutputModeOf(string? mode, string path, Findings findings)
    {
        switch (mode?.ToUpperInvariant())
        {
            case null or "":
                return null;
            case "READWRITEMOUNT" or "MOUNT":
                return OutputMode.Mount;
            case "UPLOAD":
                return OutputMode.Upload;
            case "DIRECT":
                return OutputMode.Direct;
            default:
                findings.Invalid($"{path}.mode", $"'{mode}' is no mode of an output: ReadWriteMount, Upload, Direct.");
                return null;
        }
    }
}
