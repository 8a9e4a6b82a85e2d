using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Zaffre.Kernel;

/// <summary>Whether an address belongs to the public internet: the IANA special-purpose registries, and addresses that embed one of them.</summary>
public static class PublicAddress
{
    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(text => IPNetwork.Parse(text)),
    ];

    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");

    /// <summary>True when the address, or the one embedded in it, is reachable on the public internet.</summary>
    public static bool IsPublic(IPAddress address) => Embedded(address) is { } inner ? IsPublic(inner) : !Special.Any(network => network.Contains(address));

    private static IPAddress? Embedded(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return null;
        }

        var bytes = address.GetAddressBytes();
        if (SixToFour.Contains(address))
        {
            return new IPAddress(bytes.AsSpan(2, 4));
        }

        var isCompatible = Compatible.Contains(address) && BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(12)) > 1;
        return address.IsIPv4MappedToIPv6 || Nat64.Contains(address) || isCompatible ? new IPAddress(bytes.AsSpan(12, 4)) : null;
    }
}
