namespace Zaffre.Tests.Clients;

/// <summary>A version of azure-ai-ml, with the azure-identity and azure-storage-blob of its time.</summary>
public enum Sdk
{
    /// <summary>1.4.0, of the machine's own packages.</summary>
    Oldest,

    /// <summary>1.34.0 or newer: what <c>tools/sh/newest-sdk.sh</c> found.</summary>
    Newest,
}

/// <summary>How each version is run, and the ways in which it reaches a server.</summary>
public static class Sdks
{
    /// <summary>Environment variables only, through the CONNECT proxy, under Azure's own names.</summary>
    public const string Proxy = "proxy";

    /// <summary>Environment variables only, a cloud of its own (<c>ARM_CLOUD_METADATA_URL</c>); 1.4.0 cannot.</summary>
    public const string Direct = "direct";

    /// <summary>Every version in every mode that it has.</summary>
    public static TheoryData<Sdk, string> Modes => new() { { Sdk.Oldest, Proxy }, { Sdk.Newest, Proxy }, { Sdk.Newest, Direct } };

    /// <summary>Every version, through the proxy.</summary>
    public static TheoryData<Sdk, string> Versions => new() { { Sdk.Oldest, Proxy }, { Sdk.Newest, Proxy } };

    /// <summary>The program and the options before a script's path.</summary>
    internal static IEnumerable<string> Command(this Sdk sdk) => sdk == Sdk.Oldest
        ? ["/usr/bin/python3", "-W", "ignore"]
        : [Path.Combine(Environment.GetEnvironmentVariable("ZAFFRE_NEWEST_SDK") is { Length: > 0 } folder
            ? folder
            : throw new InvalidOperationException("ZAFFRE_NEWEST_SDK is not set: run through ./zaffre test, or set it to what tools/sh/newest-sdk.sh prints."), "python"), "-W", "ignore"];

    // 1.4.0 needs a pydash, which its Debian release does not have; newer ones bring theirs.
    internal static string PythonPath(this Sdk sdk) => sdk == Sdk.Oldest ? Path.Combine(ZaffreBinary.Python, "pydash-standin") : "";
}
