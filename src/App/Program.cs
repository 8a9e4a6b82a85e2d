using System.CommandLine;
using Zaffre.App;
using Zaffre.Cli;
using Zaffre.Gateway;

// The gateway is started by the server, many times in its life: it needs no command line parser.
if (args is ["gateway", ..])
{
    return await GatewayHost.RunAsync(args[1..]);
}

if (args is ["up", ..])
{
    // Requests come in small bursts: workers that spin for the next one took a sixth of the processor time of a client's session.
    AppContext.SetData("System.Threading.ThreadPool.UnfairSemaphoreSpinLimit", 0);
}

// One place for every verb: those that run and find a server are here, those that speak its API are in Cli.
var root = new RootCommand("Zaffre: Azure Machine Learning on machines you own.");
root.Subcommands.Add(UpCommand.Create());
root.Subcommands.Add(DownCommand.Create());
root.Subcommands.Add(StatusCommand.Create());
root.Subcommands.Add(EnvCommand.Create());
root.Subcommands.Add(ExecCommand.Create());
root.Subcommands.Add(TokenCommand.Create());
root.Subcommands.Add(PrincipalCommand.Create());
root.Subcommands.Add(ReplayCommand.Create());
CliCommands.AddTo(root);

// The server ends by its own rules; the parser would kill it two seconds after the first signal.
var invocation = args is ["up", ..] ? new InvocationConfiguration { ProcessTerminationTimeout = null } : new InvocationConfiguration();
return await root.Parse(ExecCommand.Protect(args)).InvokeAsync(invocation);
