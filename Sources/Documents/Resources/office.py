"""Prints the text of an office file or a drawing as records, which Records.swift reads.

    office.py pptx|odp|ods|odt|svg FILE

A record begins with \\x1e; \\x1f parts its fields: kind, page, sheet, text. Kinds: h1 to h6, p, t (a table begins), r (a row,
its cells parted by \\x1d), e (the table ends). Exit codes: 4 it wants a password, 5 it is damaged, 6 it takes too much memory.

Only the standard library: zipfile and expat. Nothing is unpacked to disk, no address is followed, and an office file with a
document type definition is refused, so that no entity is ever expanded. The walls around this process do the rest.
"""

import posixpath
import sys
import zipfile
import zlib
from urllib.parse import unquote
from xml.etree import ElementTree

ENTRY_LIMIT = 100 << 20
REPEAT_LIMIT = 1000
COLUMN_LIMIT = 16384


class Damaged(Exception):
    pass


class Locked(Exception):
    pass


class Builder(ElementTree.TreeBuilder):
    def doctype(self, *_):
        raise Damaged("a document type definition")


def qualified(prefix, space):
    return lambda name: "{%s%s}%s" % (prefix, space, name)


ODF = "urn:oasis:names:tc:opendocument:xmlns:"
draw, office, table, text = (qualified(ODF, s + ":1.0") for s in ("drawing", "office", "table", "text"))
presentation, manifest = qualified(ODF, "presentation:1.0"), qualified(ODF, "manifest:1.0")
OOXML = "http://schemas.openxmlformats.org/"
a, p = qualified(OOXML, "drawingml/2006/main"), qualified(OOXML, "presentationml/2006/main")
relation = qualified(OOXML, "officeDocument/2006/relationships")
compatibility = qualified(OOXML, "markup-compatibility/2006")
STRICT = "http://purl.oclc.org/ooxml/"
out = sys.stdout


# Writing

SPACES = {code: " " for code in range(32) if code not in (9, 10)}


def emit(kind, words="", page="", sheet=""):
    if words.strip() or kind in "te":
        out.write("\x1e%s\x1f%s\x1f%s\x1f%s" % (kind, page, sheet.translate(SPACES), words.translate(SPACES)))


def emit_row(cells, page="", sheet=""):
    if any(cell.strip() for cell in cells):
        row = "\x1d".join(cell.translate(SPACES) for cell in cells)
        out.write("\x1er\x1f%s\x1f%s\x1f%s" % (page, sheet.translate(SPACES), row))


# Reading

def entry(archive, name):
    """The bytes of an entry, by what it really inflates to."""
    with archive.open(name) as body:
        content = body.read(ENTRY_LIMIT + 1)
    if len(content) > ENTRY_LIMIT:
        raise MemoryError
    return content


def tree(archive, name):
    content = entry(archive, name)
    # The strict form of the standard differs in its names only.
    if STRICT.encode() in content:
        content = content.replace((STRICT + "officeDocument/relationships").encode(), relation("")[1:-1].encode())
        content = content.replace((STRICT + "drawingml/main").encode(), a("")[1:-1].encode())
        content = content.replace((STRICT + "presentationml/main").encode(), p("")[1:-1].encode())
    parser = ElementTree.XMLParser(target=Builder())
    parser.feed(content)
    return parser.close()


def relations(archive, part):
    """What a part of an OOXML package leads to: id to (last word of the type, name of the entry)."""
    folder, file = posixpath.split(part)
    name = posixpath.join(folder, "_rels", file + ".rels")
    if name not in archive.namelist():
        return {}
    found = {}
    for link in tree(archive, name):
        if link.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/" + folder, unquote(link.get("Target", ""))))
            found[link.get("Id")] = (link.get("Type", "").rsplit("/", 1)[-1], target.lstrip("/"))
    return found


# PowerPoint

def pptx(archive):
    known = set(archive.namelist())
    root = [target for kind, target in relations(archive, "").values() if kind == "officeDocument"]
    main = root[0] if root else "ppt/presentation.xml"
    links = relations(archive, main)
    slides = tree(archive, main).find(p("sldIdLst"))
    for page, slide in enumerate(slides if slides is not None else (), 1):
        name = links.get(slide.get(relation("id")), ("", ""))[1]
        if name in known:
            pptx_slide(archive, name, page, known)


def pptx_slide(archive, name, page, known):
    shapes(tree(archive, name), page)
    for kind, target in relations(archive, name).values():
        if kind == "diagramData" and target in known:
            for paragraph in tree(archive, target).iter(a("p")):
                emit("p", a_text(paragraph), page)
        elif kind == "notesSlide" and target in known:
            notes(tree(archive, target), page)


def shapes(element, page):
    """In the order of the slide's tree, which is the order a screen reader takes."""
    for child in element:
        if child.tag == p("sp"):
            title = placeholder(child) in ("title", "ctrTitle")
            for paragraph in child.iter(a("p")):
                emit("h2" if title else "p", a_text(paragraph), page)
        elif child.tag == a("tbl"):
            a_table(child, page)
        elif child.tag == compatibility("AlternateContent"):
            # The same thing twice: for newer and for older readers.
            for choice in list(child)[:1]:
                shapes(choice, page)
        else:
            shapes(child, page)


def placeholder(shape):
    for mark in shape.iter(p("ph")):
        return mark.get("type", "body")
    return None


def notes(root, page):
    for shape in root.iter(p("sp")):
        if placeholder(shape) == "body":
            for paragraph in shape.iter(a("p")):
                emit("p", a_text(paragraph), page)


def a_text(paragraph):
    parts = []
    for node in paragraph.iter():
        if node.tag == a("t"):
            parts.append(node.text or "")
        elif node.tag == a("br"):
            parts.append("\n")
        elif node.tag == a("tab"):
            parts.append("\t")
    return "".join(parts)


def a_table(grid, page):
    emit("t", page=page)
    for row in grid.iter(a("tr")):
        emit_row([" ".join(a_text(each) for each in cell.iter(a("p"))) for cell in row.iter(a("tc"))], page)
    emit("e", page=page)


# OpenDocument

def odf(archive):
    """Encrypted entries are named in the manifest; the zip itself knows nothing of them."""
    if "META-INF/manifest.xml" in archive.namelist():
        for _ in tree(archive, "META-INF/manifest.xml").iter(manifest("encryption-data")):
            raise Locked


def odf_text(element):
    """The words of a paragraph, with its spaces, and without the comments at its margin."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == text("s"):
            parts.append(" " * min(int(child.get(text("c"), "1")), REPEAT_LIMIT))
        elif child.tag == text("tab"):
            parts.append("\t")
        elif child.tag == text("line-break"):
            parts.append("\n")
        elif child.tag not in (office("annotation"), office("annotation-end")):
            parts.append(odf_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def odp(archive):
    odf(archive)
    for page, slide in enumerate(tree(archive, "content.xml").iter(draw("page")), 1):
        odf_walk(slide, page, False)


def odt(archive):
    """For those that pandoc does not take: without a part that the standard does not demand, for instance."""
    odf(archive)
    for body in tree(archive, "content.xml").iter(office("text")):
        odf_walk(body, "", False)


def odf_walk(element, page, title):
    for child in element:
        if child.tag == text("h"):
            emit("h%d" % min(max(int(child.get(text("outline-level"), "2")), 1), 6), odf_text(child), page)
        elif child.tag == text("p"):
            emit("h2" if title else "p", odf_text(child), page)
        elif child.tag == table("table"):
            emit("t", page=page)
            for row in child.iter(table("table-row")):
                emit_row(row_cells(row), page)
            emit("e", page=page)
        elif child.tag not in (office("annotation"), text("tracked-changes"), draw("object"), draw("object-ole")):
            odf_walk(child, page, title or child.get(presentation("class")) == "title")


def row_cells(row):
    cells = []
    for cell in row:
        if cell.tag not in (table("table-cell"), table("covered-table-cell")):
            continue
        repeat = min(int(cell.get(table("number-columns-repeated"), "1")), COLUMN_LIMIT - len(cells))
        words = cell_text(cell)
        cells += [words] * (min(repeat, REPEAT_LIMIT) if words else repeat)
    while cells and not cells[-1]:
        cells.pop()
    return cells


def cell_text(cell):
    words = " ".join(odf_text(each) for each in cell if each.tag in (text("p"), text("h")))
    if words:
        return words
    for name in ("string-value", "date-value", "time-value", "boolean-value", "value"):
        if cell.get(office(name)):
            return cell.get(office(name))
    return ""


class Sheets:
    """What the parser reports of a spreadsheet. Only one row is held at a time, so a large sheet needs no large memory."""

    def __init__(self):
        self.sheet, self.depth, self.row = "", 0, None

    def doctype(self, *_):
        raise Damaged("a document type definition")

    def start(self, tag, attributes):
        if tag == table("table") and self.row is None:
            self.depth += 1
            if self.depth == 1:
                self.sheet = attributes.get(table("name"), "")
                emit("t", sheet=self.sheet)
        elif tag == table("table-row") and self.row is None and self.depth == 1:
            self.row, self.inner = ElementTree.TreeBuilder(), 0
        if self.row is not None:
            self.inner += 1
            self.row.start(tag, attributes)

    def data(self, words):
        if self.row is not None:
            self.row.data(words)

    def end(self, tag):
        if self.row is not None:
            self.row.end(tag)
            self.inner -= 1
            if self.inner == 0:
                self.finish(self.row.close())
                self.row = None
        elif tag == table("table"):
            self.depth -= 1
            if self.depth == 0:
                emit("e", sheet=self.sheet)

    def finish(self, row):
        cells = row_cells(row)
        repeat = int(row.get(table("number-rows-repeated"), "1"))
        for _ in range(min(repeat, REPEAT_LIMIT) if cells else 0):
            emit_row(cells, sheet=self.sheet)

    def close(self):
        pass


def ods(archive):
    odf(archive)
    parser, read = ElementTree.XMLParser(target=Sheets()), 0
    with archive.open("content.xml") as body:
        while chunk := body.read(65536):
            read += len(chunk)
            if read > ENTRY_LIMIT:
                raise MemoryError
            parser.feed(chunk)
    parser.close()


# Drawings

def svg(path):
    """A drawing may have a document type; expat expands no external entity and stops one that multiplies."""
    with open(path, "rb") as file:
        root = ElementTree.parse(file).getroot()
    if root.tag.rsplit("}", 1)[-1] != "svg":
        raise Damaged("no drawing")
    for element in root.iter():
        name = element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""
        if name in ("title", "desc", "text"):
            emit("p", " ".join("".join(element.itertext()).split()))


def main():
    kind, path = sys.argv[1:]
    out.reconfigure(encoding="utf-8", errors="replace", newline="\n")
    try:
        if kind == "svg":
            svg(path)
        else:
            with zipfile.ZipFile(path) as archive:
                {"pptx": pptx, "odp": odp, "ods": ods, "odt": odt}[kind](archive)
        out.flush()
    except Locked:
        sys.exit(4)
    except MemoryError:
        sys.exit(6)
    except RuntimeError as error:
        # zipfile's way to say that an entry has a password; RecursionError is one, too.
        sys.exit(4 if "password" in str(error) else 5)
    except (Damaged, ElementTree.ParseError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError,
            NotImplementedError, LookupError) as error:
        print(type(error).__name__, error, file=sys.stderr)
        sys.exit(5)


main()
