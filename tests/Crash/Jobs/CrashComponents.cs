using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Jobs.Model;

namespace Zaffre.Tests.Crash.Jobs;

/// <summary>
/// The commands of the pipelines that crash, one for each variant: they print numbered lines, note in an output of theirs which job ran, and write what the
/// model says. Of two processes the first one writes.
/// </summary>
internal static class CrashComponents
{
    public static string Name(int variant, bool fails) => $"crash_{variant}{(fails ? "_fails" : "")}";

    /// <summary>What the log of a process that was not disturbed holds.</summary>
    public static string LogOf(int variant) => "begin\n" + string.Concat(Enumerable.Range(1, variant).Select(i => $"line {i}\n")) + "end\n";

    /// <summary>The <c>componentSpec</c>, without its environment.</summary>
    public static JsonObject Spec(int variant, bool fails)
    {
        var inputs = new JsonObject
        {
            ["tag"] = new JsonObject { ["type"] = "string", ["default"] = "default" },
            ["data"] = new JsonObject { ["type"] = "uri_folder", ["optional"] = true },
        };
        for (var port = 0; port < PipelineCase.Ports; port++)
        {
            inputs[PipelineCase.Port(port)] = new JsonObject { ["type"] = "uri_file", ["optional"] = true };
        }

        return new JsonObject
        {
            ["type"] = "command",
            ["is_deterministic"] = variant > 0,
            ["command"] = $$$"""
                set -eo pipefail
                rank=${RANK:-0}
                echo $AZUREML_RUN_ID >> ${{outputs.ledger}}/runs$rank
                echo begin
                for i in $(seq {{{variant}}}); do echo line $i; sleep 0.1; done
                if [ $rank = 0 ]; then
                  all=
                  for file in $[[${{inputs.a}}]] $[[${{inputs.b}}]] $[[${{inputs.c}}]]; do all="$all,$(cat "$file")"; done
                  who={{{(variant == 0 ? "$AZUREML_RUN_ID" : $"v{variant}")}}}
                  text="$who[${{inputs.tag}}](${all#,})"
                  if [ ${#text} -ge 200 ]; then text="$who#$(printf %s "$text" | sha256sum | cut -c1-16)"; fi
                  printf %s "$text" > ${{outputs.out}}
                  case $(printf %s "$text" | sha256sum) in [0-5]*) echo false ;; *) echo true ;; esac > ${{outputs.flag}}
                fi
                echo end
                [ $rank != 0 ] || exit {{{(fails ? 3 : 0)}}}
                """,
            ["inputs"] = inputs,
            ["outputs"] = new JsonObject { ["out"] = new JsonObject { ["type"] = "uri_file" }, ["ledger"] = new JsonObject { ["type"] = "uri_folder" }, ["flag"] = new JsonObject { ["type"] = "boolean" } },
        };
    }
}
