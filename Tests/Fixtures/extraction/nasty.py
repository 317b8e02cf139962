"""Writes hostile and damaged files into a folder, and prints for each: name, a tab, the statuses that are right.

    nasty.py FOLDER
"""

import os
import random
import struct
import sys
import zipfile
import zlib

from containers import *

folder = sys.argv[1]
LAUGHS = '<!DOCTYPE x [<!ENTITY a0 "ha">%s]>' % "".join(
    '<!ENTITY a%d "%s">' % (i, "&a%d;" % (i - 1) * 10) for i in range(1, 12))
OUTSIDE = '<!DOCTYPE x [<!ENTITY leak SYSTEM "file:///etc/passwd">]>'
REMOTE = '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'


def write(name, content, *statuses):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    print(name, " ".join(statuses), sep="\t")


def deflated(byte, size):
    """Of `size` times the byte, without holding it."""
    packer, out = zlib.compressobj(9), b""
    for _ in range(size >> 20):
        out += packer.compress(byte * (1 << 20))
    return out + packer.flush()


def patched(data, at, value):
    return data[:at] + value + data[at + len(value):]


def noise(count):
    return random.Random(1).randbytes(count)


# PDF
write("password.pdf", locked_pdf(), "encrypted")
circle = pages(lines("x"))
circle[1] = "<</Type/Pages/Kids[2 0 R 4 0 R]/Count 2>>"
write("cyclic-pages.pdf", pdf(circle), "broken", "empty", "indexed")
write("only-header.pdf", "%PDF-1.7\n", "broken")
write("noise.pdf", b"%PDF-1.7\n" + noise(100_000), "broken")
twice = zlib.compress(deflated(b" ", 512 << 20), 9)
write("stream-bomb.pdf", pdf(pages(stream(twice, "/Filter[/FlateDecode/FlateDecode]"))), "too_large", "empty", "broken")
many = pages(lines("a page that comes again and again"))
many[1] = "<</Type/Pages/Kids[%s]/Count 100000>>" % ("4 0 R " * 100_000)
write("many-pages.pdf", pdf(many), "too_large", "indexed", "broken", "empty")
itself = pages(stream(b"/X Do"))
itself[3] = itself[3].replace("/Font<</F 3 0 R>>", "/XObject<</X 6 0 R>>")
itself.append(stream(b"/X Do", "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>"))
write("form-in-itself.pdf", pdf(itself), "broken", "empty", "too_large")
write("deep-arrays.pdf", pdf(pages(lines("x")) + ["[" * 300_000], root=6), "broken", "empty", "indexed")
write("half.pdf", pdf(pages(lines("some words")))[:250], "broken")
write("picture.pdf", b"\x89PNG\r\n\x1a\n" + noise(1000), "broken")

# Zip
good = docx(paragraph("text"))
write("is-pdf.docx", pdf(pages(lines("x"))), "broken")
write("is-xlsx.docx", xlsx([("A", "")]), "broken")
write("bomb.docx", docx(paragraph("x"), extra=[("word/media/zeros.bin", bytes(99 << 20))]), "too_large")
write("many-bombs.docx", docx(paragraph("x"), extra=[("word/%d" % i, noise(1 << 19) + bytes(49 << 20)) for i in range(6)]), "too_large")
big = docx(paragraph("x") + "<w:p/>" * (8 << 20))
place = big.rindex(b"PK\1\2", 0, big.rindex(b"word/document.xml"))
write("liar.docx", patched(patched(big, place + 24, struct.pack("<L", 4000)), big.index(b"word/document.xml") - 8, struct.pack("<L", 4000)),
      "too_large", "broken", "empty", "indexed")
write("heavy.docx", docx("".join("<w:p w:x='%s'/>" % noise(6000)[i:i + 60].hex() if i < 5900 else "<w:p><w:r><w:t>a</w:t></w:r></w:p>"
                                 for i in range(600_000))), "too_large", "indexed")
write("laughs.docx", docx(paragraph("&a11;"), LAUGHS), "too_large", "broken")
write("outside.docx", docx(paragraph("&leak;"), OUTSIDE), "broken", "indexed", "empty")
write("remote.docx", docx(paragraph("x"), REMOTE), "broken", "indexed", "empty")
write("slip.docx", docx(paragraph("x"), extra=[("../../tmp/slipped", "x")]), "broken")
write("absolute.docx", docx(paragraph("x"), extra=[("/etc/slipped", "x")]), "broken")
second = good.index(b"PK\1\2", good.index(b"PK\1\2") + 4)
write("overlapping.docx", patched(good, second + 42, struct.pack("<L", 0)), "broken")
with open(os.devnull, "w") as sys.stderr:
    write("same-name.docx", docx(paragraph("x"), extra=[("word/document.xml", "<x/>")]), "broken")
sys.stderr = sys.__stderr__
first = good.index(b"PK\1\2")
write("password.docx", patched(good, first + 8, struct.pack("<H", 1)), "encrypted")
write("many-entries.docx", docx(paragraph("x"), extra=[("word/%d" % i, "") for i in range(10_001)]), "too_large")
write("half.docx", good[:len(good) // 2], "broken")
write("method.docx", patched(good, first + 10, struct.pack("<H", 14)), "broken")
write("damaged.docx", patched(good, good.index(b"word/document.xml") + 20, noise(60)), "broken")
write("deep.docx", docx("<w:tbl><w:tr><w:tc>" * 3000 + paragraph("x") + "</w:tc></w:tr></w:tbl>" * 3000),
      "broken", "indexed", "empty", "too_large")

# Sheets
cell = '<row r="%d"><c r="%s%d" t="inlineStr"><is><t>x</t></is></c></row>'
write("far-corner.xlsx", xlsx([("A", cell % (1048576, "XFD", 1048576))]), "indexed", "too_large", "empty")
write("far-rows.xlsx", xlsx([("A", "".join(cell % (i, "XFD", i) for i in range(1, 3000)))]), "indexed", "too_large")
write("no-string.xlsx", xlsx([("A", '<row r="1"><c r="A1" t="s"><v>99999</v></c></row>')]), "broken", "indexed", "empty")
write("laughs.xlsx", xlsx([("A", "")], strings=["&a11;"], prolog=LAUGHS), "broken", "too_large", "empty")
write("no-list.xlsx", archive([("xl/workbook.xml", "<x/>")]), "broken")
write("not-xml.xlsx", xlsx([("A", "<row")]), "broken", "empty")
many = '<table:table table:name="A"><table:table-row table:number-rows-repeated="2000000000">%s</table:table-row></table:table>'
wide = '<table:table-cell table:number-columns-repeated="2000000000">%s</table:table-cell>'
write("repeated.ods", opendocument("spreadsheet", many % (wide % "<text:p>abc</text:p>")), "indexed", "too_large")
write("repeated-nothing.ods", opendocument("spreadsheet", many % (wide % "")), "empty")
write("password.ods", opendocument("spreadsheet", "", manifest=LOCKED, content=noise(500)), "encrypted")
write("laughs.ods", opendocument("spreadsheet", "<text:p>&a11;</text:p>", LAUGHS), "broken")

# Slides and OpenDocument
group, end = "<p:grpSp>" * 5000, "</p:grpSp>" * 5000
write("deep.pptx", pptx([group + shape("x") + end]), "broken", "indexed")
write("outside.pptx", pptx([shape("&leak;")], prolog=OUTSIDE), "broken")
write("no-slides.pptx", archive([types(), ("ppt/x", "")]), "broken")
write("password.odt", opendocument("text", "", manifest=LOCKED, content=noise(500)), "encrypted")
write("outside.odt", opendocument("text", "<text:p>&leak;</text:p>", OUTSIDE), "broken", "indexed", "empty")
write("is-ods.odt", opendocument("spreadsheet", ""), "broken")
write("deep.odp", opendocument("presentation", "<draw:page>" + "<draw:g>" * 5000 + "</draw:g>" * 5000 + "</draw:page>"),
      "broken", "empty")

# Before 2007
write("package.docx", compound([("EncryptionInfo", noise(64)), ("EncryptedPackage", noise(5000))]), "encrypted")
write("password.doc", doc("secret", flags=0x0100), "encrypted")
write("password.xls", xls("A", [["x"]], locked=True), "encrypted")
write("password.ppt", ppt("x", token=0xF3D1C4DF), "encrypted")
write("circle.doc", patched(doc("x"), 512, struct.pack("<128L", *[1] * 128)), "broken", "empty", "indexed", "too_large")
write("half.xls", xls("A", [["x"]])[:900], "broken", "empty")
write("noise.ppt", compound([("PowerPoint Document", noise(20_000)), ("Current User", noise(60))]), "empty", "broken", "indexed")
write("is-text.doc", "Not a Word file", "broken")

# Markup and text
write("deep.rtf", "{\\rtf1 " + "{" * 500_000, "broken", "too_large", "empty", "indexed")
write("binary.rtf", "{\\rtf1 \\bin2147483647 x}", "broken", "empty", "indexed", "too_large")
write("deep.html", "<div>" * 100_000 + "x", "indexed", "too_large", "broken", "empty")
write("brackets.html", "<" * (2 << 20), "indexed", "too_large", "broken", "empty")
write("outside.html", '<iframe src="file:///etc/passwd"></iframe><img src="file:///etc/passwd"><p>x</p>', "indexed")
write("laughs.svg", LAUGHS.replace("<!DOCTYPE x", "<!DOCTYPE svg") + "<svg><text>&a11;</text></svg>", "broken", "too_large")
write("outside.svg", OUTSIDE.replace("<!DOCTYPE x", "<!DOCTYPE svg") + "<svg><text>&leak;</text></svg>", "broken", "empty", "indexed")
write("commas.csv", "," * (12 << 20), "empty", "too_large", "indexed")
write("open-quote.csv", '"' + "a,\n" * (4 << 20), "indexed")
write("zeros.csv", bytes(100_000), "broken")
write("lines.txt", "a\n\n" * (4 << 20), "indexed")
write("picture.txt", b"\x89PNG\r\n\x1a\n" + noise(10_000), "broken")
write("wide.txt", b"\xff\xfe" + b"\x00\xd8" * (5 << 20), "indexed", "broken")
write("brackets.md", "[" * (9 << 20), "indexed")
write("brackets.json", "[" * (9 << 20), "indexed")
write("text.png", "no picture", "broken")
write("text.zip", "no archive", "broken")
