"""Small writers for the files that tests need: zip archives, compound files, PDF. Only the standard library."""

import hashlib
import io
import struct
import zipfile


def archive(entries, stored=()):
    """A zip of (name, content); names may come twice."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in entries:
            how = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            target.writestr(zipfile.ZipInfo(name), content, compress_type=how)
    return data.getvalue()


CONTENT_TYPES = ('[Content_Types].xml', '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
                 'content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships'
                 '+xml"/><Default Extension="xml" ContentType="application/xml"/>%s</Types>')
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "application/vnd.openxmlformats-officedocument."


def types(*overrides):
    lines = "".join('<Override PartName="%s" ContentType="%s"/>' % pair for pair in overrides)
    return CONTENT_TYPES[0], CONTENT_TYPES[1] % lines


def rels(*links):
    """Of (id, last word of the type, target)."""
    lines = "".join('<Relationship Id="%s" Type="%s/%s" Target="%s"/>' % (i, RELATIONS, kind, to) for i, kind, to in links)
    return ('<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            + lines + '</Relationships>')


def docx(body, prolog="", extra=()):
    document = ('<?xml version="1.0" encoding="UTF-8"?>%s<w:document xmlns:w="http://schemas.openxmlformats.org/'
                'wordprocessingml/2006/main"><w:body>%s</w:body></w:document>' % (prolog, body))
    return archive([types(("/word/document.xml", MAIN + "wordprocessingml.document.main+xml")),
                    ("_rels/.rels", rels(("r1", "officeDocument", "word/document.xml"))),
                    ("word/document.xml", document), *extra])


def paragraph(text):
    return "<w:p><w:r><w:t>%s</w:t></w:r></w:p>" % text


def xlsx(sheets, strings=None, prolog=""):
    """Of (name, sheetData)."""
    head = '<?xml version="1.0" encoding="UTF-8"?>' + prolog
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    numbered = list(enumerate(sheets, 1))
    names = "".join('<sheet name="%s" sheetId="%d" r:id="r%d"/>' % (name, i, i) for i, (name, _) in numbered)
    parts = [types(("/xl/workbook.xml", MAIN + "spreadsheetml.sheet.main+xml"),
                   *(("/xl/worksheets/sheet%d.xml" % i, MAIN + "spreadsheetml.worksheet+xml") for i, _ in numbered),
                   ("/xl/sharedStrings.xml", MAIN + "spreadsheetml.sharedStrings+xml")),
             ("_rels/.rels", rels(("r1", "officeDocument", "xl/workbook.xml"))),
             ("xl/workbook.xml", head + '<workbook %s xmlns:r="%s"><sheets>%s</sheets></workbook>' % (space, RELATIONS, names)),
             ("xl/_rels/workbook.xml.rels",
              rels(*(("r%d" % i, "worksheet", "worksheets/sheet%d.xml" % i) for i, _ in numbered),
                   ("s", "sharedStrings", "sharedStrings.xml")))]
    for i, (_, data) in numbered:
        parts.append(("xl/worksheets/sheet%d.xml" % i, head + "<worksheet %s><sheetData>%s</sheetData></worksheet>" % (space, data)))
    words = "".join("<si><t>%s</t></si>" % text for text in strings or [])
    parts.append(("xl/sharedStrings.xml", head + "<sst %s>%s</sst>" % (space, words)))
    return archive(parts)


def pptx(slides, notes=None, prolog=""):
    """Of the XML of each slide's tree; notes by slide number."""
    head = '<?xml version="1.0" encoding="UTF-8"?>' + prolog
    spaces = ('xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="%s" '
              'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"' % RELATIONS)
    ids = "".join('<p:sldId id="%d" r:id="r%d"/>' % (255 + i, i) for i in range(1, len(slides) + 1))
    parts = [types(), ("_rels/.rels", rels(("r1", "officeDocument", "ppt/presentation.xml"))),
             ("ppt/presentation.xml", head + "<p:presentation %s><p:sldIdLst>%s</p:sldIdLst></p:presentation>" % (spaces, ids)),
             # On purpose in another order than the numbers of the files.
             ("ppt/_rels/presentation.xml.rels",
              rels(*(("r%d" % i, "slide", "slides/slide%d.xml" % (len(slides) + 1 - i)) for i in range(1, len(slides) + 1))))]
    for i, tree in enumerate(slides, 1):
        number = len(slides) + 1 - i
        parts.append(("ppt/slides/slide%d.xml" % number,
                      head + "<p:sld %s><p:cSld><p:spTree>%s</p:spTree></p:cSld></p:sld>" % (spaces, tree)))
        if notes and i in notes:
            parts.append(("ppt/slides/_rels/slide%d.xml.rels" % number, rels(("n", "notesSlide", "../notesSlides/notes%d.xml" % i))))
            parts.append(("ppt/notesSlides/notes%d.xml" % i, head + "<p:notes %s><p:cSld><p:spTree>%s</p:spTree></p:cSld></p:notes>"
                          % (spaces, shape(notes[i], "body"))))
    return archive(parts)


def shape(text, kind=None):
    mark = '<p:nvPr><p:ph type="%s"/></p:nvPr>' % kind if kind else ""
    return "<p:sp><p:nvSpPr>%s</p:nvSpPr><p:txBody><a:p><a:r><a:t>%s</a:t></a:r></a:p></p:txBody></p:sp>" % (mark, text)


ODF = "urn:oasis:names:tc:opendocument:xmlns:"


def opendocument(kind, body, prolog="", manifest="", content=None):
    spaces = " ".join('xmlns:%s="%s%s:1.0"' % (short, ODF, long) for short, long in [
        ("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("presentation", "presentation")])
    document = ('<?xml version="1.0" encoding="UTF-8"?>%s<office:document-content %s office:version="1.2"><office:body>'
                '<office:%s>%s</office:%s></office:body></office:document-content>' % (prolog, spaces, kind, body, kind))
    listed = ('<?xml version="1.0"?><manifest:manifest xmlns:manifest="%smanifest:1.0"><manifest:file-entry '
              'manifest:full-path="content.xml" manifest:media-type="text/xml">%s</manifest:file-entry></manifest:manifest>'
              % (ODF, manifest))
    return archive([("mimetype", "application/vnd.oasis.opendocument." + kind), ("content.xml", content or document),
                    ("META-INF/manifest.xml", listed)], stored=("mimetype",))


LOCKED = '<manifest:encryption-data manifest:checksum="x"/>'


def compound(streams):
    """A compound file of 512-byte sectors; every stream is padded to 4096 bytes, so that no small streams are needed."""
    fat, body, entries = [], b"", []
    bodies = [(name, content.ljust(4096, b"\0")) for name, content in streams]
    sectors = sum((len(content) + 511) // 512 for _, content in bodies)
    directory = (len(bodies) + 1 + 3) // 4
    at = 1 + directory
    fat = [0xFFFFFFFD] + [i + 2 for i in range(directory - 1)] + [0xFFFFFFFE]
    for name, content in bodies:
        count = (len(content) + 511) // 512
        entries.append((name, 2, at, len(content)))
        fat += [at + i + 1 for i in range(count - 1)] + [0xFFFFFFFE]
        body += content.ljust(count * 512, b"\0")
        at += count
    assert len(fat) <= 128
    listing = [("Root Entry", 5, 0xFFFFFFFE, 0)] + entries
    listing += [("", 0, 0, 0)] * (directory * 4 - len(listing))
    header = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHHHLLLLLLLLLL", 0x3E, 3, 0xFFFE, 9, 6, 0, 0, 0, 1,
              1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<109L", 0, *[0xFFFFFFFF] * 108))
    table = struct.pack("<128L", *fat, *[0xFFFFFFFF] * (128 - len(fat)))
    names = b""
    for i, (name, kind, start, size) in enumerate(listing):
        raw = name.encode("utf-16-le") + b"\0\0" if name else b""
        right = i + 1 if 0 < i < len(entries) else 0xFFFFFFFF
        names += (raw.ljust(64, b"\0") + struct.pack("<HBBLLL", len(raw), kind, 1, 0xFFFFFFFF, right, 1 if i == 0 else 0xFFFFFFFF)
                  + bytes(36) + struct.pack("<LQ", start, size))
    return header + table + names + body


def doc(text, flags=0):
    """Word 6 and 95 in its simplest form: the text stands between two offsets of the header."""
    raw = text.encode("cp1252")
    head = bytearray(0x300)
    struct.pack_into("<HHHHHH", head, 0, 0xA5DC, 0x65, 0, 0x409, 0, flags)
    struct.pack_into("<LL", head, 0x18, 0x300, 0x300 + len(raw))
    return compound([("WordDocument", bytes(head) + raw)])


def record(kind, content=b""):
    return struct.pack("<HH", kind, len(content)) + content


def xls(name, rows, locked=False):
    """Excel 97 with one sheet of labels."""
    start = record(0x809, struct.pack("<HHHHLL", 0x600, 5, 0, 0, 0, 0)) + (record(0x2F, bytes(54)) if locked else b"")
    raw = name.encode("utf-16-le")
    bound = struct.pack("<LHBB", 0, 0, len(name), 1) + raw
    offset = len(start) + 4 + len(bound) + 4
    bound = struct.pack("<L", offset) + bound[4:]
    sheet = record(0x809, struct.pack("<HHHHLL", 0x600, 0x10, 0, 0, 0, 0))
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            sheet += record(0x204, struct.pack("<HHHHB", r, c, 0, len(text), 1) + text.encode("utf-16-le"))
    return compound([("Workbook", start + record(0x85, bound) + record(0x0A) + sheet + record(0x0A))])


def ppt(text, token=0xE391C05F):
    raw = text.encode("utf-16-le")
    atom = struct.pack("<HHL", 0, 0x0FA0, len(raw)) + raw
    slide = struct.pack("<HHL", 0xF, 0x0FF0, len(atom)) + atom
    document = struct.pack("<HHL", 0xF, 0x03E8, len(slide)) + slide
    user = struct.pack("<HHLLL", 0, 0x0FF6, 0x20, 0x14, token) + bytes(24)
    return compound([("Current User", user), ("PowerPoint Document", document)])


def pdf(objects, root=1, extra="", version="1.4"):
    """Of the bodies of objects 1, 2, …"""
    out = b"%%PDF-%s\n" % version.encode()
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + (body if isinstance(body, bytes) else body.encode()) + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer\n<</Size %d/Root %d 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, extra.encode(), start)


def stream(content, entries=""):
    return b"<</Length %d%s>>stream\n" % (len(content), entries.encode()) + content + b"\nendstream"


FONT = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def pages(*contents):
    """One page for each of the content streams."""
    count = len(contents)
    kids = " ".join("%d 0 R" % (4 + 2 * i) for i in range(count))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count), FONT]
    for i, content in enumerate(contents):
        objects += ["<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents %d 0 R/Resources<</Font<</F 3 0 R>>>>>>" % (5 + 2 * i),
                    content]
    return objects


def lines(*texts):
    shown = "".join("BT /F 12 Tf 50 %d Td (%s) Tj ET\n" % (750 - 14 * i, text) for i, text in enumerate(texts) if text)
    return stream(shown.encode("latin-1"))


def rc4(key, data):
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def locked_pdf():
    """Revision 2 of the standard handler (ISO 32000-1, 7.6.3): the user's password is `secret`."""
    word = (b"secret" + PADDING)[:32]
    owner = rc4(hashlib.md5(word).digest()[:5], word)
    key = hashlib.md5(word + owner + struct.pack("<l", -4) + b"id").digest()[:5]
    said = "/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>/ID[<%s><%s>]" % (
        owner.hex(), rc4(key, PADDING).hex(), b"id".hex(), b"id".hex())
    return pdf(pages(lines("hidden")), extra=said)
