#!/usr/bin/env python3
"""Runs `groundcrew extract` over the hostile and damaged files of Tests/Fixtures/extraction/nasty.py, one process each, and
writes what each took into bench/results/nasty-DATE.md.

    bench/nasty.py [--groundcrew .build/release/groundcrew] [--out FILE]

Of each file: its status, how long it took by the clock with the start of the program, how much more memory the process had
than one that reads a tiny text, and how much the tools had that it started (their resident memory, summed, looked at every
10 ms). Ends with 1 where there are less than 40 files, one has another status than nasty.py allows, takes more than 20 s, or
more than 64 MiB in the process itself.
"""

import argparse
import collections
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES, SECONDS, MEMORY_MIB = 40, 20, 64


def children(pid):
    """The processes that this one has started, as far as they live."""
    found = []
    try:
        for thread in os.listdir("/proc/%d/task" % pid):
            found += [int(each) for each in Path("/proc/%d/task/%s/children" % (pid, thread)).read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def below(pid):
    """Those and all that they have started."""
    return [each for child in children(pid) for each in [child, *below(child)]]


def resident(pid):
    """KiB."""
    try:
        return int(Path("/proc/%d/statm" % pid).read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 10
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0


class Watch(threading.Thread):
    """Looks at what the one child of a shell has started until that ends."""

    def __init__(self, shell):
        super().__init__(daemon=True)
        self.shell, self.most, self.ended = shell, 0, threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.01):
            tools = [each for child in children(self.shell) for each in below(child)]
            self.most = max(self.most, sum(resident(each) for each in tools))


def read(groundcrew, path):
    begin = time.monotonic()
    # A shell in between, and not the last command in it: a process begins with the peak of the one that started it.
    command = ["sh", "-c", '"$@"; exit $?', "sh", groundcrew, "extract", "--json", "--measure", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    watch = Watch(process.pid)
    output, _ = process.communicate()
    watch.ended.set()
    watch.join()
    lines = [line for line in output.splitlines() if line.startswith(b"{")]
    answer = json.loads(lines[0]) if lines else {"status": "no answer", "measured": {"memoryKiB": 0, "cpuSeconds": 0}}
    return {"status": answer["status"], "seconds": time.monotonic() - begin, "memory": answer["measured"]["memoryKiB"],
            "tools": watch.most}


def written(folder):
    """The files, and the statuses that are right for each."""
    script = ROOT / "Tests/Fixtures/extraction/nasty.py"
    done = subprocess.run([sys.executable, "-B", str(script), folder], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {name: statuses.split() for name, statuses in rows}


def report(readings, allowed, tiny):
    wrong = [name for name, each in readings.items() if each["status"] not in allowed[name]]
    slow = [name for name, each in readings.items() if each["seconds"] > SECONDS]
    more = {name: each["memory"] - tiny["memory"] for name, each in readings.items()}
    large = [name for name, kib in more.items() if kib > MEMORY_MIB << 10]
    slowest = max(readings, key=lambda name: readings[name]["seconds"])
    largest = max(more, key=more.get)
    counts = collections.Counter(each["status"] for each in readings.values())
    tools = sorted(readings, key=lambda name: -readings[name]["tools"])
    lines = ["# Hostile and damaged files, %s" % datetime.date.today(), "",
             "`bench/nasty.py` on %s, %d cores, two files at a time." % (platform.platform(terse=True), os.cpu_count()), "",
             "| what | measured | at most or least |", "|---|---|---|",
             "| files | %d | %d |" % (len(readings), FILES),
             "| another status than is right | %d%s | 0 |" % (len(wrong), named(wrong)),
             "| slowest, by the clock | %.1f s (%s) | %d s |" % (readings[slowest]["seconds"], slowest, SECONDS),
             "| most memory above that of a tiny text, in the process | %.1f MiB (%s) | %d MiB |" % (
                 more[largest] / 1024, largest, MEMORY_MIB),
             "| most memory of its tools | %.0f MiB (%s) | their hard limits, docs/extraction.md |" % (
                 readings[tools[0]]["tools"] / 1024, tools[0]),
             "| files whose tools had more than %d MiB | %d%s | – |" % (
                 MEMORY_MIB, *counted([name for name in tools if readings[name]["tools"] > MEMORY_MIB << 10])),
             "", "Statuses: " + ", ".join("%d %s" % (count, status) for status, count in counts.most_common()) + ".", "",
             "| file | status | s | MiB more | MiB of its tools |", "|---|---|---|---|---|"]
    lines += ["| %s | %s | %.1f | %.1f | %.0f |" % (name, each["status"], each["seconds"], more[name] / 1024, each["tools"] / 1024)
              for name, each in readings.items()]
    return "\n".join(lines) + "\n", len(readings) >= FILES and not (wrong or slow or large)


def named(names):
    return " (%s)" % ", ".join(names) if names else ""


def counted(names):
    return len(names), named(names)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--groundcrew", default=str(ROOT / ".build/release/groundcrew"))
    options.add_argument("--out", type=Path, default=ROOT / ("bench/results/nasty-%s.md" % datetime.date.today()))
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        allowed = written(folder)
        tiny = Path(folder) / "tiny.txt"
        tiny.write_text("a tiny text\n")
        base = read(chosen.groundcrew, tiny)
        with ThreadPoolExecutor(2) as pool:
            names = list(allowed)
            readings = dict(zip(names, pool.map(lambda name: read(chosen.groundcrew, Path(folder) / name), names)))
    text, is_good = report(readings, allowed, base)
    chosen.out.write_text(text)
    print(text)
    sys.exit(not is_good)


main()
