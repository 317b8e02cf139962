#!/usr/bin/env python3
"""Measures the queue and the crew engine, as ratios in one run, and prints a table.

    bench/run.py [--jobs 100000] [--only drain,pickup,memory,steps,rebuild,million,reclaim,drainstop,stripe,context,files] [--waiting 1000000]

Everything is private: Postgres with fsync and synchronous_commit on, Redis with AOF beside it, both children of
`groundcrew dev`. Sidekiq (Debian's ruby-sidekiq) drains the same number of no-op jobs on the same Redis in the same run.
Needs .build/release/groundcrew (`make bench` builds it).
"""
import argparse, concurrent.futures, hashlib, hmac, http.client, json, os, pathlib, random, re, shutil, signal, socket
import statistics, subprocess, sys, tempfile, threading, time, urllib.request

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

    def sql(self, statement):
        """Rows as lists of texts."""
        out = subprocess.run(["psql", self.card["database_url"], "-qAtX", "-F", "\t", "-c", statement],
                             capture_output=True, text=True, check=True).stdout
        return [line.split("\t") for line in out.splitlines()]

    def number(self, statement):
        return float(self.sql(statement)[0][0] or "nan")

    def clock(self):
        """Postgres' clock: what its rows are measured by."""
        return self.number("SELECT extract(epoch FROM clock_timestamp())")

    def probes(self, count, seconds):
        self.sql(f"""INSERT INTO jobs (kind, queue, payload)
                     SELECT 'test.probe', 'maint', jsonb_build_object('key', n::text, 'milliseconds', {int(seconds * 1000)})
                     FROM generate_series(1, {count}) n""")

    def running(self):
        return self.number("SELECT count(*) FROM jobs WHERE state = 'running'")

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
    """Gaps of ten-task chains, and those of the same client calling with nothing in between.

    Code judges the documents: a model as judge would call the same server in between, and the gaps would not be the steps'.
    """
    house = House()

    def chains(settings):
        worker = house.worker(**settings, GC_OBSERVER="heuristic")
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


def share(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def million(count):
    """Redis' memory with so many ids waiting, and what a rebuild of them takes while a worker wants work."""
    house = House()
    worker = None
    used = lambda: int(re.search(r"used_memory:(\d+)", house.redis("INFO", "memory"))[1])
    try:
        before = used()
        house.bench("enqueue", "--jobs", count)
        queue = "HLEN {gc:maint}:b"
        until(lambda: int(house.redis(*queue.split())) == count, "Redis to know every job", limit=600, every=0.5)
        memory = (used() - before) / 2**20
        say("wiping Redis …")
        worker = house.worker(GC_WORKER_SLOTS="16")
        until(lambda: house.number("SELECT count(*) FROM jobs WHERE state = 'done'") > 100, "the worker's first jobs")
        wiped = house.clock()
        house.redis("FLUSHALL")
        until(lambda: house.sql(f"SELECT 1 FROM queue_state WHERE rebuilt_at > to_timestamp({wiped})"), "the rebuild")
        whole = house.number("SELECT extract(epoch FROM rebuilt_at) FROM queue_state") - wiped
        # What was claimed by tickets that were under way when Redis was wiped is no answer.
        first = house.number(f"""SELECT extract(epoch FROM min(claimed_at)) FROM jobs
                                 WHERE claimed_at > to_timestamp({wiped}) + interval '50 milliseconds'""") - wiped
        gap = house.number(f"""SELECT extract(epoch FROM max(gap)) FROM (
                SELECT claimed_at - lag(claimed_at) OVER (ORDER BY claimed_at) AS gap FROM jobs
                WHERE claimed_at > to_timestamp({wiped}) - interval '1 second') gaps""")
        return memory, first, gap, whole
    finally:
        if worker:
            worker.kill()
            worker.wait()
        house.close()


def reclaim(rounds):
    """From kill -9 of a worker with 64 long jobs to the claim of each by another worker, at any moment of its heartbeat."""
    house = House(GC_TEST_HOOKS="1")
    waits = []
    try:
        for _ in range(rounds):
            house.probes(64, 600)
            doomed = house.worker(GC_WORKER_SLOTS="64")
            until(lambda: house.running() == 64, "64 jobs to run")
            heir = house.worker(GC_WORKER_SLOTS="64")
            until(lambda: house.number("SELECT count(*) FROM worker_sessions WHERE state = 'live'") == 2, "the heir")
            time.sleep(3 * random.random())
            killed = house.clock()
            doomed.kill()
            doomed.wait()
            until(lambda: house.number("SELECT count(*) FROM jobs WHERE state = 'running' AND attempt = 2") == 64,
                  "all jobs to run again", limit=60)
            waits += [float(row[0]) - killed for row in house.sql("SELECT extract(epoch FROM claimed_at) FROM jobs")]
            heir.kill()
            heir.wait()
            house.sql("DELETE FROM jobs; UPDATE worker_sessions SET lease_until = now() WHERE state = 'live'")
            until(lambda: house.number("SELECT count(*) FROM worker_sessions WHERE state = 'live'") == 0, "their sessions' end")
        return waits
    finally:
        house.close()


def drainstop(rounds):
    """From the end of the drain to the last job handed back, of 64 that do not end by themselves."""
    house = House(GC_TEST_HOOKS="1")
    late = []
    try:
        for _ in range(rounds):
            house.probes(64, 600)
            worker = house.worker(GC_WORKER_SLOTS="64", GC_DRAIN_SECONDS="2")
            until(lambda: house.running() == 64, "64 jobs to run")
            told = house.clock()
            worker.send_signal(signal.SIGTERM)
            worker.wait(30)
            unspent = house.number("SELECT count(*) FROM jobs WHERE state = 'queued' AND failures = 0 AND losses = 0")
            if unspent != 64:
                raise SystemExit(f"only {unspent:.0f} of 64 jobs came back unspent")
            late.append(house.number("SELECT extract(epoch FROM max(run_at)) FROM jobs") - told - 2)
            house.sql("DELETE FROM jobs")
        return late
    finally:
        house.close()


def stripe(events):
    """Milliseconds until a signed event is kept and answered, one connection, fsync on, a worker beside it."""
    house = House(GC_STRIPE_WEBHOOK_SECRET="whsec_bench")
    worker = house.worker()
    taken = []
    try:
        connection = http.client.HTTPConnection(house.card["api"].split("//")[1], timeout=30)
        for number in range(events):
            session = {"id": f"cs_{number}", "mode": "payment", "payment_status": "paid", "currency": "usd",
                       "amount_total": 25000, "metadata": {"task_id": "tsk_none"}, "padding": "x" * 3000}
            body = json.dumps({"id": f"evt_{number}", "type": "invoice.paid", "created": 1, "livemode": True,
                               "data": {"object": session}})
            now = int(time.time())
            code = hmac.new(b"whsec_bench", f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
            begin = time.monotonic()
            connection.request("POST", "/api/webhooks/stripe", body, {"Stripe-Signature": f"t={now},v1={code}"})
            answer = connection.getresponse()
            answer.read()
            taken.append((time.monotonic() - begin) * 1000)
            if answer.status != 200:
                raise SystemExit(f"the receiver answered {answer.status}")
    finally:
        stop(worker)
        house.close()
    taken.sort()
    return statistics.median(taken), taken[int(len(taken) * 0.99)]


def multipart(path):
    """The beginning and the end of a form with one file, and the header that goes with them."""
    boundary = "bench-" + "0" * 20
    head = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{path}"\r\n\r\n').encode()
    return head, f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def upload(house, engagement, name, size):
    """Seconds for a file of so many bytes."""
    head, end, kind = multipart(name)
    piece = b"a" * (1 << 20)
    connection = http.client.HTTPConnection(house.card["api"].split("//")[1], timeout=120)
    begin = time.monotonic()
    connection.putrequest("POST", f"/api/engagements/{engagement}/attachments")
    connection.putheader("Authorization", "Bearer " + house.card["api_key"])
    connection.putheader("Content-Type", kind)
    connection.putheader("Content-Length", str(len(head) + size + len(end)))
    connection.endheaders()
    connection.send(head)
    for at in range(0, size, len(piece)):
        connection.send(piece[:size - at])
    connection.send(end)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 201:
        raise SystemExit(f"the upload was answered {answer.status}")
    return time.monotonic() - begin


def plain_copy(folder, size):
    """Seconds in which as many bytes go over loopback into a file that is synced: what an upload cannot beat."""
    listener = socket.create_server(("127.0.0.1", 0))

    def receive():
        peer, _ = listener.accept()
        with peer, open(os.path.join(folder, "copy"), "wb") as file:
            while piece := peer.recv(1 << 18):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            peer.send(b".")

    receiver = threading.Thread(target=receive)
    receiver.start()
    piece = bytes(1 << 20)
    begin = time.monotonic()
    with socket.create_connection(listener.getsockname()) as sender:
        for at in range(0, size, len(piece)):
            sender.sendall(piece[:size - at])
        sender.shutdown(socket.SHUT_WR)
        sender.recv(1)
    taken = time.monotonic() - begin
    receiver.join()
    listener.close()
    os.remove(os.path.join(folder, "copy"))
    return taken


def uploads(rounds, size):
    """Seconds of an upload and of a plain copy, in turn; and MiB that the process grew by, over all uploads but the first."""
    house = House()
    try:
        draft = {"name": "Files", "client": "Bench", "brief": "Upload files.", "budget": 1}
        engagement = house.call("POST", "/api/engagements", draft)["id"]
        upload(house, engagement, "warm.txt", size)
        before = resident(house.process)
        pathlib.Path(f"/proc/{house.process.pid}/clear_refs").write_text("5")
        pairs = [(upload(house, engagement, f"{n}.txt", size), plain_copy(house.folder, size)) for n in range(rounds)]
        return pairs, resident(house.process, "VmHWM") - before
    finally:
        house.close()


def rebuilds(changes):
    """How often the index is built for so many uploads, eight at a time, and the seconds until it covers all of them."""
    house = House()
    worker = house.worker(GC_STORAGE_URL=f"file://{house.folder}/blobs")
    try:
        draft = {"name": "Files", "client": "Bench", "brief": "Upload files.", "budget": 1}
        engagement = house.call("POST", "/api/engagements", draft)["id"]
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: upload(house, engagement, f"{n}.txt", 2000), range(changes)))
        state = lambda: house.call("GET", f"/api/engagements/{engagement}/context")
        until(lambda: state()["generation"] == changes, "the index to cover every file")
        taken = time.monotonic() - begin
        return house.number("SELECT sum(attempt) FROM jobs WHERE kind = 'context.rebuild'"), taken
    finally:
        stop(worker)
        house.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--waiting", type=int, default=1_000_000)
    parser.add_argument("--megabytes", type=int, default=100, help="of an upload")
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
    if "million" in wanted or "rebuild" in wanted:
        say(f"adding {options.waiting:,} jobs …")
        memory, first, gap, whole = million(options.waiting)
        rows.append((f"Redis memory, {options.waiting:,} waiting", f"{memory:.1f} MiB"))
        rows.append(("after FLUSHALL: first claim / longest pause between claims / whole",
                     f"{first:.2f} / {gap:.2f} / {whole:.2f} s"))
    if "reclaim" in wanted:
        say("killing workers …")
        waits = reclaim(2 * options.rounds)
        rows.append(("killed worker's jobs claimed again, p50 / p99 / longest",
                     f"{share(waits, 0.5):.2f} / {share(waits, 0.99):.2f} / {max(waits):.2f} s of {len(waits)}"))
    if "drainstop" in wanted:
        say("stopping workers …")
        late = drainstop(options.rounds)
        rows.append(("SIGTERM, handed back after the drain's end, longest", f"{max(late):.2f} s, attempts unspent"))
    if "stripe" in wanted:
        say("posting 2,000 signed events of Stripe's, one at a time …")
        median, high = stripe(2000)
        rows.append(("Stripe event, post to 200, p50 / p99", f"{median:.2f} / {high:.2f} ms"))
    if "context" in wanted:
        house = House()
        try:
            say("indexing 20 MB of text …")
            small = house.bench("context")
            rows.append(("index of 20 MB of text, in ten files",
                         f"{small['index_seconds']:.1f} s, {small['chunks']:,} passages"))
            rows.append(("of the 10 s it may take", f"{small['index_seconds'] / 10:.2f}"))
            say("indexing 100,000 passages, and searching them 1,000 times …")
            large = house.bench("context", "--megabytes", 88, "--paragraph", 880)
            rows.append((f"search in {large['chunks']:,} passages, p50 / p99",
                         f"{large['search_p50_ms']:.1f} / {large['search_p99_ms']:.1f} ms"))
            rows.append(("p99, of the 20 ms it may take", f"{large['search_p99_ms'] / 20:.2f}"))
        finally:
            house.close()
    if "files" in wanted:
        size = options.megabytes << 20
        say(f"uploading {options.megabytes} MB, and copying as much over loopback, in turn, {options.rounds} times …")
        pairs, growth = uploads(options.rounds, size)
        ours, plain = (statistics.median(each) for each in zip(*pairs))
        ratios = sorted(copy / own for own, copy in pairs)
        rows.append((f"upload of {options.megabytes} MB, stored and answered", f"{options.megabytes / ours:,.0f} MB/s"))
        rows.append(("a plain copy over loopback into a synced file", f"{options.megabytes / plain:,.0f} MB/s"))
        rows.append(("ratio, pair by pair", f"{ratios[0]:.2f} / {statistics.median(ratios):.2f} / {ratios[-1]:.2f}"))
        rows.append(("the whole house's growth by the uploads", f"{growth:.1f} MiB"))
        say("40 files at once, and how often the index is built …")
        builds, taken = rebuilds(40)
        rows.append(("40 uploads, rebuilds of the index / until it has all", f"{builds:.0f} / {taken:.1f} s"))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")


if __name__ == "__main__":
    main()
