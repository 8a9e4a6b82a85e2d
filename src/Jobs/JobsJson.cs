using System.Text.Json;
using System.Text.Json.Serialization;
using Zaffre.Jobs.Execution.Reuse;
using Zaffre.Jobs.Submission;

namespace Zaffre.Jobs;

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(JobPlan))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(IReadOnlyList<StepTemplate>))]
[JsonSerializable(typeof(PlannedGang))]
[JsonSerializable(typeof(PlannedSeed))]
[JsonSerializable(typeof(PlannedOutput))]
[JsonSerializable(typeof(StepFacts))]
[JsonSerializable(typeof(IReadOnlyList<StepDifference>))]
internal sealed partial class JobsJson : JsonSerializerContext;
