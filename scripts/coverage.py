#!/usr/bin/env python3
"""Which test stands for which row of the contract, from the names of the tests.

A test stands for the rows that its name (`@Test("E-1, E-5 to E-7, SC-04: …")`) or its suite's comment names.

    scripts/coverage.py            write docs/coverage.md
    scripts/coverage.py --check    exit 1 where an E or X row has neither a test nor a reason, or docs/coverage.md is old
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/coverage.md"

# The rows of the contract, by family: name, first and last number, and whether each must have a test.
FAMILIES = [
    ("E", "Engagements", 1, 62, True),
    ("X", "Every route", 1, 16, True),
    ("S", "Accounts, keys, deliverables, webhooks, collection", 1, 48, False),
    ("A", "Attachments", 1, 40, False),
    ("T", "Data collection", 1, 30, False),
    ("SC", "Scenarios", 1, 40, False),
]

# Rows without a test, and why.
REASONS = {
}

# Rows whose tests leave something out, and what.
PARTLY = {
}

TEST = re.compile(r'@(?:Test|Suite)\(\s*"((?:[^"\\]|\\.)*)"')
ROW = re.compile(r"\b(E|X|S|A|T|SC)-(\d+)(?:(?:\s*(?:to|…|–)\s*)(?:(?:E|X|S|A|T|SC)-)?(\d+))?")


def rows(name):
    """`E-1, E-5 to E-7` is E-1, E-5, E-6, E-7."""
    for family, first, last in ROW.findall(name):
        for number in range(int(first), int(last or first) + 1):
            yield f"{family}-{number}"


def tests():
    """Row -> [(file, test name)]."""
    found = {}
    for file in sorted((ROOT / "Tests").rglob("*Tests.swift")):
        for match in TEST.finditer(file.read_text()):
            for row in rows(match[1]):
                found.setdefault(row, []).append((file, match[1].replace('\\"', '"')))
    return found


def page(found):
    lines = [
        "# Which test stands for which row of the contract",
        "",
        "Written by `scripts/coverage.py` from the names of the tests; `make check` compares it. A row that no line shows",
        "has no test that names it.",
    ]
    for family, title, first, last, must in FAMILIES:
        known = [n for n in range(first, last + 1) if must or f"{family}-{n}" in found or f"{family}-{n}" in REASONS]
        if not known:
            continue
        lines += ["", f"## {title}", "", "| Row | Tests |", "|---|---|"]
        for number in known:
            row = f"{family}-{number}"
            cells = [f"`{file.stem}`: {name.replace('|', '/')}" for file, name in found.get(row, [])]
            cells += [f"*{PARTLY[row]}*"] if row in PARTLY else []
            lines.append(f"| {row} | {'<br>'.join(cells) or '– ' + REASONS.get(row, 'none')} |")
    return "\n".join(lines) + "\n"


def main():
    found = tests()
    text = page(found)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
        return 0
    faults = [
        f"{family}-{n}: no test names it, and scripts/coverage.py gives no reason"
        for family, _, first, last, must in FAMILIES
        for n in range(first, last + 1)
        if must and f"{family}-{n}" not in found and f"{family}-{n}" not in REASONS
    ]
    faults += [f"{row}: a reason is given, but it has a test" for row in REASONS if row in found]
    if not PAGE.exists() or PAGE.read_text() != text:
        faults.append("docs/coverage.md is old: run scripts/coverage.py")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
