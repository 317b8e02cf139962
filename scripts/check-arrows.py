#!/usr/bin/env python3
"""Holds the house against its plan: import lines, Package.swift, and words that Sources must not hold.

The compiler forgives an import that is reachable through another target; this does not. Because every target is built
with MemberImportVisibility, a file imports whatever it touches, so its import lines are the whole truth.

    scripts/check-arrows.py              check this package; exit 1 and one line per fault
    scripts/check-arrows.py --self-test  prove that each rule catches what it is there for
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Who may stand on whom: section 2 of the design. Package.swift may use fewer arrows, never others.
# CLI is the roof and may import everything but the C modules.
PLAN = {
    "API": "Jobs Stores Queue Domain RedisClient PostgresClient",
    "Worker": "Jobs Crew Stores Queue Domain LLM Documents Outside RedisClient PostgresClient",
    "Scheduler": "Jobs Stores Queue Domain RedisClient PostgresClient",
    "Jobs": "Crew Stores Queue Domain PostgresClient",
    "Crew": "Domain",
    "Stores": "Domain PostgresClient RedisClient CCrypt",
    "Queue": "PostgresClient RedisClient",
    "LLM": "Domain",
    "Documents": "Domain CCmark CLibXML2",
    "Outside": "Domain CZlib",
    "Domain": "",
    "Embedded": "",
    "RedisClient": "CHiredis",
    "PostgresClient": "CLibPQ",
}
# C stays in the cellar: one door for each library.
DOORS = {"CCrypt": "Stores", "CHiredis": "RedisClient", "CLibPQ": "PostgresClient", "CCmark": "Documents",
         "CLibXML2": "Documents", "CZlib": "Outside"}
# What comes with the compiler.
SYSTEM = {"Swift", "FoundationEssentials", "Glibc", "Musl", "Dispatch", "Synchronization"}
SYSTEM_IN_TESTS = SYSTEM | {"Foundation", "Testing"}
FEATURES = {"ExistentialAny", "MemberImportVisibility", "InternalImportsByDefault", "NonisolatedNonsendingByDefault"}

IMPORT = re.compile(
    r"^\s*(?:@\w+\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
    r"(?:(?:struct|enum|class|func|protocol|typealias|var|let|actor)\s+)?(\w+)"
)
# Looked for in code only, after comments and string literals are blanked.
FORBIDDEN = [
    (re.compile(r"\b(?:public|open)\s+(?:\w+\s+)*(?:struct|enum|class|actor|protocol|extension|func|var|let|init|import"
                r"|typealias|subscript|static)\b"), "`package` is the widest access level here"),
    (re.compile(r"\btry!"), "`try!` crashes the fleet on an error; throw it"),
    (re.compile(r"\bfatalError\s*\("), "`fatalError` crashes the fleet; throw an error"),
    (re.compile(r"@testable\b"), "`@testable` belongs to tests"),
]
UNSAFE = re.compile(r"@unchecked\s+Sendable|nonisolated\(unsafe\)")
# `Task {` that begins a task; not a type of that name being declared, extended or returned.
UNSTRUCTURED = re.compile(
    r"(?<![\w.])(?<!struct )(?<!enum )(?<!class )(?<!extension )(?<!-> )(?<!: )"
    r"Task(?:\.(?:detached|immediate))?(?:<[^>]*>)?(?:\([^)]*\))?\s*\{"
)


def blank(source):
    """`source` with comments and string literals turned into spaces; line breaks stay, code inside \\(…) stays."""
    out = list(source)

    def erase(begin, end):
        for place in range(begin, min(end, len(out))):
            if out[place] != "\n":
                out[place] = " "

    def code(at, closing):
        """Walks code from `at` to the `)` that closes an interpolation, or to the end; returns the place after it."""
        depth = 0
        while at < len(source):
            if source.startswith("//", at):
                end = source.find("\n", at)
                end = len(source) if end < 0 else end
                erase(at, end)
                at = end
            elif source.startswith("/*", at):
                at = comment(at)
            elif (opened := re.compile(r'(#*)("""|")').match(source, at)):
                at = string(opened)
            elif closing and source[at] == ")" and depth == 0:
                return at + 1
            else:
                depth += {"(": 1, ")": -1}.get(source[at], 0)
                at += 1
        return at

    def comment(begin):
        """Block comments nest in Swift."""
        at, depth = begin + 2, 1
        while at < len(source) and depth:
            if source.startswith("/*", at):
                at, depth = at + 2, depth + 1
            elif source.startswith("*/", at):
                at, depth = at + 2, depth - 1
            else:
                at += 1
        erase(begin, at)
        return at

    def string(opened):
        hashes, quote = opened[1], opened[2]
        begin, at = opened.start(), opened.end()
        escape = "\\" + hashes
        while at < len(source):
            if source.startswith(quote + hashes, at):
                at += len(quote + hashes)
                break
            if source.startswith(escape + "(", at):
                erase(begin, at + len(escape) + 1)
                begin = at = code(at + len(escape) + 1, closing=True)
            elif source.startswith(escape, at):
                at += len(escape) + 1
            elif quote == '"' and source[at] == "\n":
                break
            else:
                at += 1
        erase(begin, at)
        return at

    code(0, closing=False)
    return "".join(out)


def arrows_of(target):
    """Names a target may import: our own targets by name, products of packages by product name."""
    return {next(iter(dependency.values()))[0] for dependency in target["dependencies"]}


def folder_of(target):
    if target.get("path"):
        return Path(target["path"])
    return Path("Tests" if target["type"] == "test" else "Sources") / target["name"]


def check_plan(targets):
    """Package.swift against the design."""
    own = {target["name"] for target in targets}
    for target in targets:
        name, arrows = target["name"], arrows_of(target)
        if name in PLAN:
            for other in sorted((arrows & own) - set(PLAN[name].split())):
                yield f"Package.swift: {name} → {other} is not an arrow of the design"
        for library, door in DOORS.items():
            if library in arrows and name != door:
                yield f"Package.swift: {name} → {library}: only {door} may open that library"
        if target["type"] in ("system", "plugin", "macro", "binary"):
            continue
        kinds = [setting["kind"] for setting in target.get("settings", [])]
        missing = FEATURES - {kind["enableUpcomingFeature"]["_0"] for kind in kinds if "enableUpcomingFeature" in kind}
        modes = {kind["swiftLanguageMode"]["_0"] for kind in kinds if "swiftLanguageMode" in kind}
        if missing or modes != {"6"}:
            yield f"Package.swift: {name} lacks the house settings (swiftSettings: house)"


def check_file(path, shown, target, is_source):
    """One file: its imports, and the words it must not hold."""
    text = path.read_text(encoding="utf-8")
    raw, lines = text.split("\n"), blank(text).split("\n")
    allowed = arrows_of(target) | {target["name"]} | (SYSTEM if is_source else SYSTEM_IN_TESTS)
    for number, line in enumerate(lines, 1):
        place = f"{shown}:{number}"
        if (found := IMPORT.match(line)) and found[1] not in allowed:
            if found[1] == "Foundation":
                yield f"{place}: import FoundationEssentials; the full Foundation costs every process memory"
            elif found[1] == "Testing":
                yield f"{place}: Testing belongs to tests"
            elif found[1] in DOORS:
                yield f"{place}: {target['name']} → {found[1]}: only {DOORS[found[1]]} may open that library"
            else:
                yield f"{place}: {target['name']} → {found[1]} is not an arrow of Package.swift"
        if not is_source:
            continue
        for pattern, reason in FORBIDDEN:
            if pattern.search(line):
                yield f"{place}: {reason}"
        above = raw[max(0, number - 4):number]
        if UNSAFE.search(line) and not any("Safe:" in other for other in above + raw[number:number + 2]):
            yield f"{place}: say beside it why this is safe (`// Safe: …`)"
        if UNSTRUCTURED.search(line) and not any("//" in other for other in above):
            yield f"{place}: an unstructured task needs one sentence that says why (a comment above it)"


def check(package, root):
    targets = package["targets"]
    faults = list(check_plan(targets))
    for target in targets:
        folder = root / folder_of(target)
        is_source = target["type"] != "test" and not str(folder_of(target)).startswith("Tests")
        for path in sorted(folder.rglob("*.swift")):
            faults += check_file(path, path.relative_to(root), target, is_source)
    return faults


def self_test():
    """Each case is a file of a small package and the one fault it must cause, or none."""
    settings = [{"kind": {"swiftLanguageMode": {"_0": "6"}}, "tool": "swift"}] + [
        {"kind": {"enableUpcomingFeature": {"_0": feature}}, "tool": "swift"} for feature in sorted(FEATURES)
    ]

    def target(name, arrows, kind="regular", products=(), **more):
        dependencies = [{"byName": [arrow, None]} for arrow in arrows.split()]
        dependencies += [{"product": [product, "package", None, None]} for product in products]
        return {"name": name, "type": kind, "dependencies": dependencies, "settings": settings, **more}

    house = [
        target("CLI", "API Domain", "executable"), target("API", "Domain Stores", products=["Logging"]),
        target("Stores", "Domain PostgresClient"), target("Domain", ""), target("LLM", "Domain"),
        target("PostgresClient", "CLibPQ"), target("CLibPQ", "", "system"),
        target("StoresTests", "Stores", "test"), target("TestSupport", "Domain", path="Tests/TestSupport"),
    ]
    cases = [
        ("API", "import Domain\nimport Logging\nimport struct Stores.Row\nimport FoundationEssentials", None),
        ("API", "import LLM", "API → LLM is not an arrow"),
        ("API", "package import struct LLM.Key", "API → LLM is not an arrow"),
        ("API", "@preconcurrency private import LLM", "API → LLM is not an arrow"),
        ("API", "import PostgresClient", "API → PostgresClient is not an arrow"),
        ("API", "import NIOCore", "API → NIOCore is not an arrow"),
        ("Stores", "import CLibPQ", "only PostgresClient may open"),
        ("PostgresClient", "import CLibPQ", None),
        ("Domain", "import Foundation", "import FoundationEssentials"),
        ("StoresTests", "import Foundation\nimport Testing\nimport Stores", None),
        ("StoresTests", "import LLM", "StoresTests → LLM is not an arrow"),
        ("TestSupport", "import Foundation", None),
        ("Domain", "import Testing", "belongs to tests"),
        ("Domain", "public struct A {}", "widest access level"),
        ("Domain", "  public static let a = 1", "widest access level"),
        ("Domain", 'let sql = "SET search_path TO public var"\n/* public struct /* import LLM */ */ // try!', None),
        ("Domain", 'let sql = """\nimport LLM\npublic func\n"""', None),
        ("Domain", 'let a = "\\(try! b("public let")) fatalError("', "`try!` crashes"),
        ("Domain", 'let a = #"a " try! \\(b) "#; let c = 1', None),
        ("Domain", "func a() { fatalError() }", "`fatalError` crashes"),
        ("Domain", "@testable import Stores", "`@testable` belongs to tests"),
        ("Domain", "final class A: @unchecked Sendable {}", "why this is safe"),
        ("Domain", "// Safe: never changes.\nfinal class A: @unchecked Sendable {}", None),
        ("Domain", "let a = 1\n\n\nfunc b() {\n    Task { c() }\n}", "needs one sentence"),
        ("Domain", "final class A: @unchecked Sendable {\n    // Safe: one thread only.\n}", None),
        ("Domain", "struct Task {}\nfunc a() -> Task {\n    b() }\nfunc b() -> C.Task {\n}", None),
        ("Domain", "// Outlives the call.\nlet a = Task { 1 }", None),
    ]
    failures = 0
    for name, text, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            entry = next(target for target in house if target["name"] == name)
            path = Path(folder) / folder_of(entry) / "File.swift"
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            faults = check({"targets": house}, Path(folder))
        good = faults == [] if expected is None else any(expected in fault for fault in faults)
        if not good:
            failures += 1
            print(f"self-test: {name}: {text!r}\n  expected {expected!r}, got {faults}")
    plans = [
        (target("API", "Domain LLM"), "API → LLM is not an arrow of the design"),
        (target("API", "Domain Crew"), "API → Crew is not an arrow of the design"),
        (target("Queue", "CLibPQ"), "only PostgresClient may open"),
        ({**target("Domain", ""), "settings": settings[1:]}, "lacks the house settings"),
        ({**target("Domain", ""), "settings": settings[:-1]}, "lacks the house settings"),
        (target("API", "Domain Stores"), None),
    ]
    others = [target(name, "") for name in ("Domain", "LLM", "Crew", "Stores")] + [target("CLibPQ", "", "system")]
    for entry, expected in plans:
        faults = list(check_plan([entry] + [other for other in others if other["name"] != entry["name"]]))
        good = faults == [] if expected is None else any(expected in fault for fault in faults)
        if not good:
            failures += 1
            print(f"self-test: {entry['name']}: expected {expected!r}, got {faults}")
    print(f"self-test: {len(cases) + len(plans) - failures} of {len(cases) + len(plans)} cases behave")
    return failures


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    if sys.argv[1:]:
        print(__doc__)
        return 2
    root = Path(__file__).resolve().parent.parent
    dump = subprocess.run(["swift", "package", "dump-package"], cwd=root, capture_output=True, text=True, check=False)
    if dump.returncode:
        print(f"Package.swift cannot be read:\n{dump.stderr}")
        return 1
    package = json.loads(dump.stdout)
    faults = check(package, root)
    arrows = sum(len(arrows_of(target)) for target in package["targets"])
    print("\n".join(faults) or f"arrows hold: {arrows} between {len(package['targets'])} targets")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
