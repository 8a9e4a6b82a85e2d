using System.Globalization;
using System.Xml;
using Microsoft.AspNetCore.Http;
using Zaffre.Storage.Blobs;
using Zaffre.Web;

namespace Zaffre.Storage.Protocol;

/// <summary>Containers, listings, and what the account says of itself.</summary>
internal sealed class ContainerCalls(Containers containers, BlobLister lister, BlobFiles blobs, IPublicUrls urls)
{
    public async Task CreateAsync(BlobCall call)
    {
        if (call.Header("x-ms-blob-public-access") is not null)
        {
            throw BlobErrors.PublicAccess();
        }

        if (!await containers.CreateAsync(call.Target.Account, call.Target.Container, call.Metadata(), call.Aborted))
        {
            throw BlobErrors.ContainerExists();
        }

        await AnswerAsync(call, StatusCodes.Status201Created);
    }

    public async Task PropertiesAsync(BlobCall call)
    {
        await AnswerAsync(call, StatusCodes.Status200OK);
        call.Response.Headers["x-ms-lease-status"] = "unlocked";
        call.Response.Headers["x-ms-lease-state"] = "available";
        call.Response.Headers["x-ms-has-immutability-policy"] = "false";
        call.Response.Headers["x-ms-has-legal-hold"] = "false";
    }

    public async Task SetMetadataAsync(BlobCall call)
    {
        if (!containers.Exists(call.Target.Account, call.Target.Container))
        {
            throw BlobErrors.ContainerNotFound();
        }

        await containers.SetMetadataAsync(call.Target.Account, call.Target.Container, call.Metadata(), call.Aborted);
        await AnswerAsync(call, StatusCodes.Status200OK);
    }

    public async Task DeleteAsync(BlobCall call)
    {
        if (!await containers.DeleteAsync(call.Target.Account, call.Target.Container, call.Aborted))
        {
            throw BlobErrors.ContainerNotFound();
        }

        call.Response.StatusCode = StatusCodes.Status202Accepted;
    }

    public async Task ListBlobsAsync(BlobCall call)
    {
        var target = call.Target;
        if (!containers.Exists(target.Account, target.Container))
        {
            throw BlobErrors.ContainerNotFound();
        }

        if (target["startfrom"] is not null)
        {
            throw BlobErrors.Unsupported("The query parameter startFrom");
        }

        if (target.Query.Values.Any(value => value.Contains('\0', StringComparison.Ordinal)))
        {
            throw BlobErrors.InvalidUri("it holds a NUL character.");
        }

        var max = Most(target);
        var query = new ListQuery(call.Address, target["prefix"] ?? "", target["delimiter"] ?? "", target["marker"], max);
        var (items, next) = await lister.ListAsync(query, call.Aborted);
        var include = (target["include"] ?? "").Split(',');
        await XmlAnswer.WriteAsync(call.Response, xml =>
        {
            Begin(xml, call);
            xml.WriteAttributeString("ContainerName", target.Container);
            Echo(xml, target, "prefix", "Prefix");
            Echo(xml, target, "marker", "Marker");
            xml.WriteElementString("MaxResults", max.ToString(CultureInfo.InvariantCulture));
            Echo(xml, target, "delimiter", "Delimiter");
            xml.WriteStartElement("Blobs");
            foreach (var item in items)
            {
                WriteItem(xml, item, include);
            }

            xml.WriteEndElement();
            xml.WriteElementString("NextMarker", next ?? "");
            xml.WriteEndElement();
        });
    }

    public async Task ListContainersAsync(BlobCall call)
    {
        var target = call.Target;
        var max = Most(target);
        var prefix = target["prefix"] ?? "";
        var withMetadata = (target["include"] ?? "").Split(',').Contains("metadata");
        var names = containers.List(target.Account).Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(name, target["marker"] ?? "") > 0).Take(max + 1).ToList();
        var states = new List<ContainerState>();
        foreach (var name in names.Take(max))
        {
            states.Add((await containers.FindAsync(target.Account, name, call.Aborted))!);
        }

        await XmlAnswer.WriteAsync(call.Response, xml =>
        {
            Begin(xml, call);
            Echo(xml, target, "prefix", "Prefix");
            Echo(xml, target, "marker", "Marker");
            xml.WriteElementString("MaxResults", max.ToString(CultureInfo.InvariantCulture));
            xml.WriteStartElement("Containers");
            foreach (var state in states)
            {
                xml.WriteStartElement("Container");
                xml.WriteElementString("Name", state.Name);
                xml.WriteStartElement("Properties");
                xml.WriteElementString("Last-Modified", state.Modified.ToString("r", CultureInfo.InvariantCulture));
                xml.WriteElementString("Etag", $"\"{state.Tag}\"");
                xml.WriteElementString("LeaseStatus", "unlocked");
                xml.WriteElementString("LeaseState", "available");
                xml.WriteElementString("HasImmutabilityPolicy", "false");
                xml.WriteElementString("HasLegalHold", "false");
                xml.WriteEndElement();
                if (withMetadata)
                {
                    WriteMetadata(xml, state.Metadata);
                }

                xml.WriteEndElement();
            }

            xml.WriteEndElement();
            xml.WriteElementString("NextMarker", names.Count > max ? names[max - 1] : "");
            xml.WriteEndElement();
        });
    }

    public static Task AccountAsync(BlobCall call)
    {
        call.Response.Headers["x-ms-sku-name"] = "Standard_LRS";
        call.Response.Headers["x-ms-account-kind"] = "StorageV2";
        call.Response.Headers["x-ms-is-hns-enabled"] = "false";
        return Task.CompletedTask;
    }

    public static Task ServiceAsync(BlobCall call) => XmlAnswer.WriteAsync(call.Response, xml =>
    {
        xml.WriteStartElement("StorageServiceProperties");
        xml.WriteStartElement("DeleteRetentionPolicy");
        xml.WriteElementString("Enabled", "false");
        xml.WriteEndElement();
        xml.WriteEndElement();
    });

    private static int Most(RequestTarget target) => target["maxresults"] is not { } text
        ? BlobLister.MaxResults
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var max) && max > 0
            ? Math.Min(max, BlobLister.MaxResults)
            : throw BlobErrors.OutOfRangeQuery("maxresults", "it must be a number above 0.");

    private async Task AnswerAsync(BlobCall call, int status)
    {
        var state = await containers.FindAsync(call.Target.Account, call.Target.Container, call.Aborted) ?? throw blobs.Missing(call.Address);
        call.Response.StatusCode = status;
        call.Response.Headers.ETag = $"\"{state.Tag}\"";
        call.Response.Headers.LastModified = state.Modified.ToString("r", CultureInfo.InvariantCulture);
        foreach (var (name, value) in state.Metadata)
        {
            call.Response.Headers["x-ms-meta-" + name] = value;
        }

        call.Response.ContentLength = HttpMethods.IsHead(call.Request.Method) ? null : 0;
    }

    private void Begin(XmlWriter xml, BlobCall call)
    {
        xml.WriteStartElement("EnumerationResults");
        xml.WriteAttributeString("ServiceEndpoint", urls.Blob(call.Http, call.Target.Account) + "/");
    }

    private static void Echo(XmlWriter xml, RequestTarget target, string parameter, string element)
    {
        if (target[parameter] is { Length: > 0 } value)
        {
            XmlAnswer.WriteName(xml, element, value);
        }
    }

    private static void WriteItem(XmlWriter xml, ListedItem item, string[] include)
    {
        if (item.State is not { } state)
        {
            xml.WriteStartElement("BlobPrefix");
            XmlAnswer.WriteName(xml, "Name", item.Name);
            xml.WriteEndElement();
            return;
        }

        xml.WriteStartElement("Blob");
        XmlAnswer.WriteName(xml, "Name", item.Name);
        xml.WriteStartElement("Properties");
        xml.WriteElementString("Creation-Time", state.Created.ToString("r", CultureInfo.InvariantCulture));
        xml.WriteElementString("Last-Modified", state.Stamp.LastModified.ToString("r", CultureInfo.InvariantCulture));
        xml.WriteElementString("Etag", state.Stamp.Tag);
        xml.WriteElementString("Content-Length", state.Stamp.Size.ToString(CultureInfo.InvariantCulture));
        xml.WriteElementString("Content-Type", state.Properties.Headers.Type);
        xml.WriteElementString("Content-Encoding", state.Properties.Headers.Encoding);
        xml.WriteElementString("Content-Language", state.Properties.Headers.Language);
        xml.WriteElementString("Content-MD5", state.Properties.Md5 is { } md5 ? Convert.ToBase64String(md5) : "");
        xml.WriteElementString("Cache-Control", state.Properties.Headers.CacheControl);
        xml.WriteElementString("Content-Disposition", state.Properties.Headers.Disposition);
        xml.WriteElementString("BlobType", state.Properties.Type);
        xml.WriteElementString("LeaseStatus", "unlocked");
        xml.WriteElementString("LeaseState", "available");
        xml.WriteElementString("ServerEncrypted", "false");
        if (include.Contains("copy") && state.Properties.Copy is { } copy)
        {
            WriteCopy(xml, copy, state.Stamp.Size);
        }

        xml.WriteEndElement();
        if (include.Contains("metadata"))
        {
            WriteMetadata(xml, state.Properties.Metadata);
        }

        xml.WriteEndElement();
    }

    private static void WriteCopy(XmlWriter xml, CopyRecord copy, long size)
    {
        xml.WriteElementString("CopyId", copy.Id);
        xml.WriteElementString("CopyStatus", "success");
        xml.WriteElementString("CopySource", copy.Source);
        xml.WriteElementString("CopyProgress", string.Create(CultureInfo.InvariantCulture, $"{size}/{size}"));
        xml.WriteElementString("CopyCompletionTime", copy.Completed.ToString("r", CultureInfo.InvariantCulture));
    }

    private static void WriteMetadata(XmlWriter xml, IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.Count == 0)
        {
            return;
        }

        xml.WriteStartElement("Metadata");
        foreach (var (name, value) in metadata)
        {
            xml.WriteElementString(name, value);
        }

        xml.WriteEndElement();
    }
}
