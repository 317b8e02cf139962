#!/usr/bin/env python3
"""Measures the queue and the crew engine, as ratios in one run, and prints a table.

    bench/run.py [--jobs 100000] [--only drain,enqueue,pickup,memory,steps]

Everything is private: Postgres with fsync and synchronous_commit on, Redis with AOF beside it, both children of
`groundcrew dev`. Sidekiq (Debian's ruby-sidekiq) drains the same number of no-op jobs on the same Redis in the same run.
Needs .build/release/groundcrew (`make bench` builds it).
"""
import argparse, json, os, pathlib, re, shutil, signal, statistics, subprocess, sys, tempfile, time, urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("GC_BINARY", str(ROOT / ".build/release/groundcrew"))
BENCH = ROOT / "bench"


def say(text):
    print(text, file=sys.stderr, flush=True)


def until(condition, what, limit=120, every=0.02):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(every)
    raise SystemExit(f"waited {limit} s in vain for {what}")


class House:
    """A private fleet without workers."""

    def __init__(self, **settings):
        self.folder = tempfile.mkdtemp(prefix="gcb-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        rates = {f"GC_RATE_{tier}": "1000000/60" for tier in ("ENGINE", "API", "READ")}
        self.env = {**os.environ, "GC_LOG_LEVEL": "error", **rates, **settings}
        self.process = subprocess.Popen(
            [BINARY, "dev", "--port", "0", "--data", self.folder, "--workers", "0"], env=self.env, stdout=subprocess.DEVNULL)
        card = pathlib.Path(self.folder) / "dev.json"
        until(card.exists, "the private fleet")
        time.sleep(0.2)
        self.card = json.loads(card.read_text())
        self.env.update(DATABASE_URL=self.card["database_url"], REDIS_URL=self.card["redis_url"])

    def bench(self, *arguments, **settings):
        out = subprocess.run([BINARY, "bench", *map(str, arguments)], env={**self.env, **settings}, check=True,
                             capture_output=True, text=True)
        return json.loads(out.stdout)

    def worker(self, **settings):
        return subprocess.Popen([BINARY, "worker"], env={**self.env, **settings}, stdout=subprocess.DEVNULL)

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.card["api"] + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + self.card["api_key"], "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def redis(self, *arguments):
        socket = re.search(r"unix://([^?]+)", self.card["redis_url"])[1]
        return subprocess.run(["redis-cli", "-s", socket, *arguments], capture_output=True, text=True, check=True).stdout.strip()

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(40)


def resident(process, field="VmRSS"):
    return int(re.search(field + r":\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024


def drain(jobs):
    house = House()
    try:
        enqueue = house.bench("enqueue", "--jobs", jobs)
        worker = house.worker(GC_WORKER_SLOTS="1000")
        ours = house.bench("drain")["jobs_per_second"]
        stop(worker)
        return enqueue["jobs_per_second"], ours
    finally:
        house.close()


def sidekiq(jobs):
    house = House()
    socket = re.search(r"unix://([^?]+)", house.card["redis_url"])[1]
    env = {**house.env, "BENCH_REDIS": f"unix://{socket}"}
    script = str(BENCH / "sidekiq_noop.rb")
    try:
        subprocess.run(["ruby", script, "fill", str(jobs)], env=env, check=True)
        process = subprocess.Popen(["sidekiq", "-r", script, "-c", "10", "-q", "default"], env=env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        left = lambda: int(house.redis("LLEN", "queue:default"))
        until(lambda: left() < jobs, "Sidekiq's first job")
        first, start = left(), time.monotonic()
        until(lambda: left() == 0, "Sidekiq's last job", limit=300, every=0.01)
        rate = first / (time.monotonic() - start)
        stop(process)
        return rate
    finally:
        house.close()


def gaps(work):
    """What lies between the end of an answer and the next request, as a model server sees it while `work` runs."""
    server = subprocess.Popen([sys.executable, str(BENCH / "fake_model_server.py")], stdout=subprocess.PIPE, text=True)
    port = server.stdout.readline().strip()
    try:
        work({"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "OPENAI_API_KEY": "bench", "GC_MODEL": "fake",
              "GC_UNPRICED_IS_FREE": "1"})
    finally:
        server.send_signal(signal.SIGTERM)
        report = json.loads(server.stdout.read())
    return report["gaps_ms"]


def steps(runs):
    """Gaps of ten-task chains, and those of the same client calling with nothing in between."""
    house = House()

    def chains(settings):
        worker = house.worker(**settings)
        try:
            until(lambda: house.call("GET", "/api/health")["workers"] == 1, "the worker")
            tasks = [{"id": f"t{n}", "title": f"Task {n}"} for n in range(10)]
            for _ in range(runs):
                body = {"name": "Chain", "client": "Bench", "brief": "Ten tasks in a chain.", "budget": 100, "tasks": tasks}
                id = house.call("POST", "/api/engagements", body)["id"]
                house.call("POST", f"/api/engagements/{id}/run")
                done = lambda: house.call("GET", f"/api/engagements/{id}/status")["status"] in ("completed", "failed")
                until(done, "a run")
        finally:
            stop(worker)

    try:
        # Ten calls a run: nine gaps inside each; the gap between two runs is the caller's.
        between = sorted(gap for index, gap in enumerate(gaps(chains)) if index % 10 != 9)
        bare = sorted(gaps(lambda settings: house.bench("calls", **settings)))
    finally:
        house.close()
    return statistics.median(between), between[int(len(between) * 0.99)], statistics.median(bare)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="drain,pickup,memory,steps")
    options = parser.parse_args()
    wanted = options.only.split(",")
    rows = []
    if "drain" in wanted:
        say(f"draining with Sidekiq and with Groundcrew, in turn, {options.rounds} times …")
        theirs, ours, adding = [], [], []
        for _ in range(options.rounds):
            theirs.append(sidekiq(options.jobs))
            added, drained = drain(options.jobs)
            adding.append(added)
            ours.append(drained)
        ratios = [o / t for o, t in zip(ours, theirs)]
        rows.append(("no-op drain, Sidekiq (not durable)", f"{statistics.median(theirs):,.0f} jobs/s"))
        rows.append(("no-op drain, Groundcrew (durable)", f"{statistics.median(ours):,.0f} jobs/s"))
        rows.append(("ratio, pair by pair", f"{min(ratios):.2f} / {statistics.median(ratios):.2f} / {max(ratios):.2f}"))
        rows.append(("enqueue, 100 a transaction, 4 callers", f"{statistics.median(adding):,.0f} jobs/s"))
    if "pickup" in wanted or "memory" in wanted:
        house = House()
        worker = house.worker()
        try:
            until(lambda: house.call("GET", "/api/health")["workers"] == 1, "the worker")
            time.sleep(2)
            rows.append(("worker, resident memory idle", f"{resident(worker):.1f} MiB"))
            if "pickup" in wanted:
                say("picking up 1,000 jobs, one at a time …")
                seen = house.bench("pickup", "--jobs", 1000)
                rows.append(("pickup, insert to claim, p50 / p95 / p99",
                             f"{seen['p50_ms']:.2f} / {seen['p95_ms']:.2f} / {seen['p99_ms']:.2f} ms"))
        finally:
            stop(worker)
            house.close()
    if "steps" in wanted:
        say("ten-task chains on a model that answers at once …")
        median, high, bare = steps(30)
        rows.append(("between two model calls, p50 / p99", f"{median:.2f} / {high:.2f} ms"))
        rows.append(("of that the HTTP call itself, p50", f"{bare:.2f} ms"))
        rows.append(("orchestration per step, p50", f"{median - bare:.2f} ms"))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")


main()
