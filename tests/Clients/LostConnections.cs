using System.Net.Sockets;

namespace Zaffre.Tests.Clients;

/// <summary>A server that dies right when a connection is made shows as a bare <see cref="SocketException"/>; here it is like every other lost connection.</summary>
internal sealed class LostConnections(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        catch (SocketException lost)
        {
            throw new HttpRequestException(lost.Message, lost);
        }
    }
}
