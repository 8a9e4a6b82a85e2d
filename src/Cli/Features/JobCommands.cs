using System.CommandLine;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre job create|show|list|stream|cancel|archive|restore|update|download|rerun|lock|diff|why</c>.</summary>
internal static class JobCommands
{
    public static Command Create()
    {
        var group = new Command("job", "Train and run: command jobs and pipelines.");
        group.Subcommands.Add(CreateJob());
        group.Subcommands.Add(JobListing.Show());
        group.Subcommands.Add(JobListing.List());
        group.Subcommands.Add(Stream());
        JobChanges.AddTo(group);
        group.Subcommands.Add(Download());
        group.Subcommands.Add(Rerun());
        group.Subcommands.Add(Usage());
        group.Subcommands.Add(Diff());
        group.Subcommands.Add(Lock());
        group.Subcommands.Add(JobWhy.Verb());
        return group;
    }

    private static Option<string> Name() => new("--name", "-n") { Description = "Name of the job.", Required = true };

    private static Verb CreateJob()
    {
        var file = new Option<string>("--file", "-f") { Description = "YAML file with the job.", Required = true };
        var name = new Option<string?>("--name", "-n") { Description = "Name of the job." };
        var set = new Option<string[]>("--set") { Description = "Sets a member of the YAML: path=value.", AllowMultipleArgumentsPerToken = true };
        var stream = new Option<bool>("--stream", "-s") { Description = "Prints the log until the job ends." };
        var plan = new Option<bool>("--plan") { Description = "Shows what would be uploaded, created, run or reused, and why; creates nothing. Ends with 1 when something is wrong." };
        var detailed = new Option<bool>("--detailed-exitcode") { Description = "With --plan: ends with 2 when something would be uploaded, created or run, with 0 when nothing would." };
        return new Verb(
            "create",
            "Create a job.",
            async (call, ct) =>
            {
                var values = call.Set(set, ("name", call.Get(name)));
                if (call.Get(plan))
                {
                    return call.Get(stream) ? throw new CliException("--plan creates no job whose log --stream could print.") : await JobPlan.RunAsync(call, call.Get(file), values, call.Get(detailed), ct);
                }

                var job = call.Get(detailed)
                    ? throw new CliException("--detailed-exitcode goes with --plan.")
                    : await new YamlSubmission(call.Api).SendAsync("job", call.Get(file), values, ct);
                return call.Get(stream) ? Projection.Of(await JobLog.StreamAsync(call.Api, job.Text("name")!, Console.Out, ct)) : Projection.Of(job);
            },
            file, name, set, stream, plan, detailed);
    }

    private static Verb Stream()
    {
        var name = Name();
        return new Verb("stream", "Print the log of a job until it ends.", async (call, ct) => Projection.Of(await JobLog.StreamAsync(call.Api, call.Get(name), Console.Out, ct)), name);
    }

    private static Verb Usage()
    {
        var job = new Argument<string>("NAME") { Description = "Name of the job." };
        return new Verb(
            "usage",
            "Show what a job used, a pipeline with its steps: time, processor, memory, GPUs, storage, cost.",
            async (call, ct) => await call.Api.GetAsync($"/zaffre/v1{call.Api.WorkspacePath}/jobs/{Uri.EscapeDataString(call.Get(job))}/usage", ct))
        {
            job,
        };
    }

    private static Verb Rerun()
    {
        var job = new Argument<string>("NAME") { Description = "Name of the job." };
        var copy = new Option<string?>("--name", "-n") { Description = "Name of the new job; made from the old one when left out." };
        var display = new Option<string?>("--display-name") { Description = "Display name of the new job." };
        var experiment = new Option<string?>("--experiment-name") { Description = "Experiment of the new job." };
        var asNow = new Option<bool>("--environment-as-now") { Description = "Takes the packages that the environment leads to now, instead of the versions of then." };
        var stream = new Option<bool>("--stream", "-s") { Description = "Prints the log until the job ends." };
        return new Verb(
            "rerun",
            "Run a job again from what was stored: its code, environment with its packages, versions of data and components, values, seed.",
            async (call, ct) =>
            {
                var wanted = new JsonObject { ["name"] = call.Get(copy), ["displayName"] = call.Get(display), ["experimentName"] = call.Get(experiment), ["environment"] = call.Get(asNow) ? "now" : "locked" };
                var made = await call.Api.SendAsync(HttpMethod.Post, $"/zaffre/v1{call.Api.WorkspacePath}/jobs/{Uri.EscapeDataString(call.Get(job))}/rerun", wanted, ct);
                return call.Get(stream) ? Projection.Of(await JobLog.StreamAsync(call.Api, made.Text("name")!, Console.Out, ct)) : Projection.Of(made);
            },
            copy, display, experiment, asNow, stream)
        {
            job,
        };
    }

    private static Verb Lock()
    {
        var job = new Argument<string>("NAME") { Description = "Name of the job." };
        return new Verb(
            "lock",
            "Show what a rerun takes over: versions of packages, of Python and of referenced assets, image, seed.",
            async (call, ct) => await call.Api.GetAsync($"/zaffre/v1{call.Api.WorkspacePath}/jobs/{Uri.EscapeDataString(call.Get(job))}/lock", ct))
        {
            job,
        };
    }

    private static Verb Diff()
    {
        var left = new Argument<string>("A") { Description = "Name of a job." };
        var right = new Argument<string>("B") { Description = "Name of the job to compare it with." };
        return new Verb(
            "diff",
            "Show what differs between two jobs: code, inputs, environment, parameters, metrics, outputs.",
            async (call, ct) =>
            {
                var (one, other) = (Uri.EscapeDataString(call.Get(left)), Uri.EscapeDataString(call.Get(right)));
                var answer = await call.Api.GetAsync($"/zaffre/v1{call.Api.WorkspacePath}/jobs/{one}/diff?with={other}", ct);
                return answer["differences"]!.DeepClone();
            })
        {
            left,
            right,
        };
    }

    private static Verb Download()
    {
        var name = Name();
        var all = new Option<bool>("--all") { Description = "Downloads every output and the artifacts." };
        var output = new Option<string?>("--output-name") { Description = "The named output to download." };
        var path = new Option<string>("--download-path", "-p") { Description = "Folder to download to.", DefaultValueFactory = _ => "." };
        return new Verb(
            "download",
            "Download the files of a job.",
            async (call, ct) =>
            {
                var job = await JobListing.FindAsync(call.Api, call.Get(name), ct);
                await new JobDownload(call.Api, job, call.Get(path)).RunAsync(call.Get(output), call.Get(all), ct);
                return (JsonNode?)null;
            },
            name, all, output, path);
    }
}
