using System.Text;
using System.Xml;
using Microsoft.AspNetCore.Http;

namespace Zaffre.Storage.Protocol;

/// <summary>XML bodies, both ways.</summary>
internal static class XmlAnswer
{
    private static readonly XmlWriterSettings Writing = new() { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), CheckCharacters = true };

    /// <summary>Writes the document that <paramref name="content"/> makes as the whole body.</summary>
    public static async Task WriteAsync(HttpResponse response, Action<XmlWriter> content)
    {
        using var buffer = new MemoryStream();
        using (var xml = XmlWriter.Create(buffer, Writing))
        {
            xml.WriteStartDocument();
            content(xml);
        }

        response.ContentType = "application/xml";
        response.ContentLength = buffer.Length;
        await response.Body.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), response.HttpContext.RequestAborted);
    }

    /// <summary>A name; one that XML cannot hold is percent-encoded and says so, as the protocol does.</summary>
    public static void WriteName(XmlWriter xml, string name)
    {
        xml.WriteStartElement("Name");
        if (name.All(XmlConvert.IsXmlChar) || IsText(name))
        {
            xml.WriteString(name);
        }
        else
        {
            xml.WriteAttributeString("Encoded", "true");
            xml.WriteString(Uri.EscapeDataString(name));
        }

        xml.WriteEndElement();
    }

    private static bool IsText(string name)
    {
        try
        {
            XmlConvert.VerifyXmlChars(name);
            return true;
        }
        catch (XmlException)
        {
            return false;
        }
    }
}
