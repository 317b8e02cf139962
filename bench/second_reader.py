"""What other programs read from a file: the second opinion of bench/extraction.py."""

import fnmatch
import html
import html.parser
import os
import re
import unicodedata
import zipfile

# Entries of an office file that hold its text, and how a piece of text looks there.
OPEN = rb"<text:(?:p|h|span|a)\b[^>]*>([^<]*)"
TEXT_IN = {"docx": ("word/document.xml", rb"<w:t(?: [^>]*)?>([^<]*)"), "pptx": ("ppt/slides/slide*.xml", rb"<a:t>([^<]*)"),
           "xlsx": ("xl/worksheets/*.xml", rb"<t(?: [^>]*)?>([^<]*)"), "odt": ("content.xml", OPEN),
           "odp": ("content.xml", OPEN), "ods": ("content.xml", OPEN)}
PLAIN = "html htm txt md csv json yaml yml".split()
# Of a PDF the second reader looks at so many pages.
PAGES = 20


class Visible(html.parser.HTMLParser):
    """The words of a page, without scripts and styles."""

    def __init__(self):
        super().__init__()
        self.text, self.hidden = [], 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style") and self.hidden > 0

    def handle_data(self, data):
        if not self.hidden:
            self.text.append(data)


def second(path, pypdf, xlrd):
    """The text as another reader has it; None where there is none for the type, or it fails too."""
    kind = path.suffix[1:].lower().replace("xlsm", "xlsx")
    try:
        if kind == "pdf":
            return "\n".join(page.extract_text() or "" for page in pypdf.PdfReader(path).pages[:PAGES])
        if kind == "xls":
            sheets = xlrd.open_workbook(path, logfile=open(os.devnull, "w")).sheets()
            return "\n".join(str(cell.value) for sheet in sheets for row in sheet.get_rows() for cell in row)
        if kind in TEXT_IN:
            return office(path, *TEXT_IN[kind])
        if kind in PLAIN:
            return plain(path, kind)
    except Exception:  # It is only asked for an opinion.
        pass
    return None


def office(path, pattern, text):
    with zipfile.ZipFile(path) as archive:
        found = [part for name in archive.namelist() if fnmatch.fnmatch(name, pattern) for part in re.findall(text, archive.read(name))]
    return html.unescape("\n".join(part.decode(errors="replace") for part in found))


def plain(path, kind):
    data = path.read_bytes()
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = data.decode("utf-16" if marked else "utf-8-sig", errors="replace")
    if kind.startswith("htm"):
        page = Visible()
        page.feed(text)
        return " ".join(page.text)
    return text


def words(text):
    """Of at least four letters; numbers and dates are written differently."""
    return set(re.findall(r"[a-z]{4,}", unicodedata.normalize("NFKC", text).lower()))


def coverage(answer, theirs):
    """What share of the second reader's words the answer has; None where that has none."""
    wanted = words(theirs or "")
    if not wanted:
        return None
    return len(wanted & words("\n".join(block["text"] for block in answer["blocks"]))) / len(wanted)
