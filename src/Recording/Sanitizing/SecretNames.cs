namespace Zaffre.Recording.Sanitizing;

/// <summary>Which members, headers and routes hold secrets, by their names.</summary>
internal static class SecretNames
{
    private static readonly string[] Endings =
    [
        "secret", "password", "passwd", "pwd", "token", "accountkey", "accesskey", "apikey", "primarykey", "secondarykey", "privatekey", "storagekey", "sharedkey",
        "encryptionkey", "signingkey", "instrumentationkey", "keyvalue", "connectionstring", "passphrase",
    ];

    private static readonly string[] Exact = ["pat", "sas", "credential", "certificate", "adminusername"];

    private static readonly string[] NotSecret = ["continuationtoken", "nexttoken", "pagetoken", "nextpagetoken", "skiptoken", "xmscontinuationtoken"];

    private static readonly string[] Holders = ["credentials", "secrets"];

    private static readonly string[] Routes =
    [
        "listkeys", "listsecrets", "regeneratekeys", "regeneratekey", "token", "listconnectionstrings", "listnotebookaccesstoken", "listnotebookkeys", "liststorageaccountkeys", "resynckeys",
    ];

    private static readonly string[] PlainEndings = ["type", "id", "uri", "url", "location", "name"];

    private static readonly string[] Users = ["createdby", "lastmodifiedby", "username", "userid", "user", "principalname", "userprincipalname", "mlflowuser", "author"];

    /// <summary>A member, header, environment variable or tag whose text is a secret.</summary>
    public static bool IsSecret(string name)
    {
        var plain = Plain(name);
        return !NotSecret.Contains(plain, StringComparer.Ordinal)
            && (Exact.Contains(plain, StringComparer.Ordinal) || Endings.Any(ending => plain.EndsWith(ending, StringComparison.Ordinal)) || name.EndsWith("_KEY", StringComparison.Ordinal));
    }

    /// <summary>A member below which every text is a secret, but for those that <see cref="IsPlain"/> names.</summary>
    public static bool HoldsSecrets(string name) => Holders.Contains(Plain(name), StringComparer.Ordinal);

    /// <summary>A route whose answers are secrets.</summary>
    public static bool AnswersSecrets(string method, string target)
    {
        var path = target.Split('?', 2)[0].TrimEnd('/');
        return method == "POST" && Routes.Contains(path[(path.LastIndexOf('/') + 1)..].ToLowerInvariant(), StringComparer.Ordinal);
    }

    /// <summary>A member among secrets that says what they are.</summary>
    public static bool IsPlain(string name) => Plain(name) is var plain && PlainEndings.Any(ending => plain.EndsWith(ending, StringComparison.Ordinal));

    /// <summary>A member that names a person.</summary>
    public static bool IsUser(string name) => Users.Contains(Plain(name), StringComparer.Ordinal);

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal).ToLowerInvariant();
}
