using System.Globalization;
using System.Xml;
using Microsoft.AspNetCore.Http;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Data;
using Zaffre.Storage.Files;

namespace Zaffre.Storage.Protocol;

/// <summary>Put Block, Put Block List, Get Block List.</summary>
internal sealed class Blocks(BlobFiles blobs, BlobWriter writer, BlockStage stage, WriteBlob write)
{
    private const long BlockLimit = 4000L * 1024 * 1024;
    private const int MostBlocks = 50_000;
    private const int ListLimit = 16 * 1024 * 1024;

    public async Task PutAsync(BlobCall call)
    {
        var id = call.Target["blockid"] ?? throw BlobErrors.MissingQuery("blockid");
        BlockStage.ParseId(id);
        write.CheckPlace(call);
        using var temp = writer.CreateTemp();
        var md5 = await RequestBody.SaveAsync(call, temp, BlockLimit, onlyStatedMd5: true);
        stage.Put(call.Address, id, temp);
        call.Response.StatusCode = StatusCodes.Status201Created;
        call.Response.Headers.ContentMD5 = md5.Length > 0 ? Convert.ToBase64String(md5) : null;
        call.Response.ContentLength = 0;
    }

    public async Task CommitAsync(BlobCall call)
    {
        write.CheckPlace(call);
        var conditions = call.Conditions();
        var properties = new BlobProperties { Headers = call.StatedContentHeaders(), Metadata = call.Metadata(), Md5 = call.Md5("x-ms-blob-content-md5") };
        var wanted = await ReadListAsync(call);
        using var present = blobs.Open(call.Address);
        var committed = present is null ? [] : await blobs.CommittedBlocksAsync(call.Address, present.Stamp, call.Aborted);
        using var temp = writer.CreateTemp();
        var blocks = Assemble(call, wanted, present, committed, temp);
        var state = await writer.CommitAsync(call.Address, temp, properties, conditions, blocks, call.Aborted);
        stage.Clear(call.Address);
        call.Written(StatusCodes.Status201Created, state.Stamp);
    }

    public async Task ListAsync(BlobCall call)
    {
        var type = call.Target["blocklisttype"]?.ToLowerInvariant() ?? "committed";
        if (type is not ("committed" or "uncommitted" or "all"))
        {
            throw BlobErrors.InvalidQuery("blocklisttype", "it must be committed, uncommitted or all.");
        }

        using var present = blobs.Open(call.Address);
        var committed = present is null ? [] : await blobs.CommittedBlocksAsync(call.Address, present.Stamp, call.Aborted);
        var uncommitted = stage.List(call.Address);
        if (present is null && uncommitted.Count == 0)
        {
            throw blobs.Missing(call.Address);
        }

        if (present is not null)
        {
            call.Response.Headers.ETag = present.Stamp.ETag;
            call.Response.Headers.LastModified = present.Stamp.LastModified.ToString("r", CultureInfo.InvariantCulture);
        }

        call.Response.Headers["x-ms-blob-content-length"] = (present?.Stamp.Size ?? 0).ToString(CultureInfo.InvariantCulture);
        await XmlAnswer.WriteAsync(call.Response, xml =>
        {
            xml.WriteStartElement("BlockList");
            if (type is "committed" or "all")
            {
                Write(xml, "CommittedBlocks", committed);
            }

            if (type is "uncommitted" or "all")
            {
                Write(xml, "UncommittedBlocks", uncommitted);
            }

            xml.WriteEndElement();
        });
    }

    private List<CommittedBlock> Assemble(
        BlobCall call, IReadOnlyList<(string From, string Id)> wanted, OpenFile? present, IReadOnlyList<CommittedBlock> committed, TempFile temp)
    {
        var offsets = new Dictionary<string, (long Offset, long Size)>(StringComparer.Ordinal);
        var offset = 0L;
        foreach (var block in committed)
        {
            offsets.TryAdd(block.Id, (offset, block.Size));
            offset += block.Size;
        }

        var blocks = new List<CommittedBlock>(wanted.Count);
        foreach (var (from, id) in wanted)
        {
            using var staged = from == "Committed" ? null : stage.Open(call.Address, id);
            if (staged is not null)
            {
                temp.Append(staged.Handle, 0, staged.Stamp.Size);
                blocks.Add(new CommittedBlock(id, staged.Stamp.Size));
            }
            else if (from != "Uncommitted" && present is not null && offsets.TryGetValue(id, out var place))
            {
                temp.Append(present.Handle, place.Offset, place.Size);
                blocks.Add(new CommittedBlock(id, place.Size));
            }
            else
            {
                throw BlobErrors.InvalidBlockList($"there is no {(from == "Latest" ? "" : from.ToLowerInvariant() + " ")}block '{id}'.");
            }
        }

        return blocks;
    }

    private static async Task<IReadOnlyList<(string From, string Id)>> ReadListAsync(BlobCall call)
    {
        if (call.Request.ContentLength is null or > ListLimit)
        {
            throw call.Request.ContentLength is null ? BlobErrors.LengthRequired() : BlobErrors.TooLarge(ListLimit);
        }

        var found = new List<(string From, string Id)>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            using var reader = XmlReader.Create(call.Request.Body, new XmlReaderSettings { Async = true, DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreWhitespace = true, IgnoreComments = true });
            if (await reader.MoveToContentAsync() != XmlNodeType.Element || reader.LocalName != "BlockList")
            {
                throw BlobErrors.InvalidXml("the root element must be BlockList.");
            }

            await reader.ReadAsync();
            while (reader.NodeType == XmlNodeType.Element)
            {
                var from = reader.LocalName;
                if (from is not ("Latest" or "Committed" or "Uncommitted"))
                {
                    throw BlobErrors.InvalidXml($"the element '{from}' is none of Latest, Committed and Uncommitted.");
                }

                var id = await reader.ReadElementContentAsStringAsync();
                if (!BlockStage.IsId(id))
                {
                    throw BlobErrors.InvalidBlockList($"'{id}' is no block id.");
                }

                if (!ids.Add(id))
                {
                    throw BlobErrors.InvalidBlockList($"the block '{id}' is named twice.");
                }

                found.Add((from, id));
                if (found.Count > MostBlocks)
                {
                    throw BlobErrors.BlockListTooLong();
                }
            }
        }
        catch (XmlException exception)
        {
            throw BlobErrors.InvalidXml(exception.Message);
        }

        return found;
    }

    private static void Write(XmlWriter xml, string element, IReadOnlyList<CommittedBlock> blocks)
    {
        xml.WriteStartElement(element);
        foreach (var block in blocks)
        {
            xml.WriteStartElement("Block");
            xml.WriteElementString("Name", block.Id);
            xml.WriteElementString("Size", block.Size.ToString(CultureInfo.InvariantCulture));
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }
}
