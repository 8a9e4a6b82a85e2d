using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Zaffre.Server.Tls;

/// <summary>
/// The X.509 name constraints extension (RFC 5280, 4.2.1.10), critical: whoever trusts our CA trusts it for these names and
/// no others, even if its key were stolen. .NET has no builder for it.
/// </summary>
internal static class NameConstraints
{
    private const string Oid = "2.5.29.30";

    public static X509Extension Permit(IEnumerable<string> dnsNames, IEnumerable<IPAddress> addresses)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        {
            foreach (var name in dnsNames)
            {
                using var subtree = writer.PushSequence();
                writer.WriteCharacterString(UniversalTagNumber.IA5String, name, new Asn1Tag(TagClass.ContextSpecific, 2));
            }

            foreach (var address in addresses)
            {
                var bytes = address.GetAddressBytes();
                using var subtree = writer.PushSequence();
                writer.WriteOctetString([.. bytes, .. Enumerable.Repeat((byte)0xff, bytes.Length)], new Asn1Tag(TagClass.ContextSpecific, 7));
            }
        }

        return new X509Extension(Oid, writer.Encode(), critical: true);
    }
}
