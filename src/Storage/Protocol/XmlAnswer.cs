using System.Text;
using System.Xml;
using Microsoft.AspNetCore.Http;

namespace Zaffre.Storage.Protocol;

/// <summary>XML bodies, both ways.</summary>
internal static class XmlAnswer
{
    private static readonly XmlWriterSettings Writing = new() { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), CheckCharacters = true, NewLineHandling = NewLineHandling.Entitize };

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

    /// <summary>An element with a name in it; one that XML cannot hold is percent-encoded and says so, as the protocol does.</summary>
    public static void WriteName(XmlWriter xml, string element, string name)
    {
        xml.WriteStartElement(element);
        if (IsText(name))
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

    /// <summary>The text with a replacement for every character that XML cannot hold.</summary>
    public static string Clean(string text) => IsText(text) ? text : string.Concat(text.Select(c => XmlConvert.IsXmlChar(c) ? c : '\ufffd'));

    private static bool IsText(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
            {
                i++;
            }
            else if (!XmlConvert.IsXmlChar(text[i]))
            {
                return false;
            }
        }

        return true;
    }
}
