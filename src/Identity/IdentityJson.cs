using System.Text.Json.Serialization;
using Zaffre.Identity.Principals;
using Zaffre.Identity.Tokens;

namespace Zaffre.Identity;

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(StoredKey[]))]
[JsonSerializable(typeof(OwnerFile))]
internal sealed partial class IdentityJson : JsonSerializerContext;
