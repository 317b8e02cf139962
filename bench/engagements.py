#!/usr/bin/env python3
"""Measures what callers of engagements wait for, as ratios in one run, and prints a table.

    bench/engagements.py [--only list,start,control,flight,pdf,webhooks] [--rounds 3]

Everything is private, as in run.py. `list` needs Debian's wrk and hey. Needs .build/release/groundcrew, or GC_BINARY.
"""
import argparse, base64, http.client, http.server, json, os, pathlib, re, signal, ssl, statistics, subprocess, sys, tempfile
import threading, time

from run import BENCH, BINARY, House, resident, say, share, stop, until


class SlowModel:
    """A model that answers after so many seconds."""

    def __init__(self, seconds):
        self.process = subprocess.Popen([sys.executable, str(BENCH / "slow_model_server.py"), str(seconds)],
                                        stdout=subprocess.PIPE, text=True)
        port = self.process.stdout.readline().strip()
        self.settings = {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "OPENAI_API_KEY": "bench", "GC_MODEL": "fake",
                         "GC_UNPRICED_IS_FREE": "1", "GC_OBSERVER": "heuristic"}

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        return json.loads(self.process.communicate(timeout=20)[0])


class Client:
    """One connection that stays open."""

    def __init__(self, house):
        self.connection = http.client.HTTPConnection(house.card["api"].split("//")[1], timeout=60)
        self.headers = {"Authorization": "Bearer " + house.card["api_key"], "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        """Status, body and milliseconds."""
        began = time.perf_counter()
        self.connection.request(method, path, None if body is None else json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        return answer.status, content, 1000 * (time.perf_counter() - began)

    def engagement(self, tasks, budget=100):
        body = {"name": "Bench", "client": "Bench", "brief": "A brief for the bench.", "budget": budget, "tasks": tasks}
        status, content, _ = self.call("POST", "/api/engagements", body)
        if status != 201:
            raise SystemExit(f"an engagement was refused with {status}: {content.decode()}")
        return json.loads(content)["id"]

    def run(self, id):
        status, content, _ = self.call("POST", f"/api/engagements/{id}/run")
        if status != 200:
            raise SystemExit(f"a run was refused with {status}: {content.decode()}")


def chain(length):
    return [{"id": f"t{n}", "title": f"Task {n}", "dependsOn": [f"t{n - 1}"] if n else []} for n in range(length)]


def ready(house):
    until(lambda: house.call("GET", "/api/health")["workers"] == 1, "the worker")


def uncap(house):
    """The plan's cap on jobs at once is not what is measured."""
    tenant = house.sql("SELECT id FROM tenants LIMIT 1")[0][0]
    subprocess.run([BINARY, "limits", "set", "--queue", "crew", "--tenant", tenant], env=house.env, check=True,
                   stdout=subprocess.DEVNULL)
    # In force within 5 s.
    time.sleep(6)


def requests_per_second(url, headers=()):
    options = [word for header in headers for word in ("-H", header)]
    out = subprocess.run(["wrk", "-t1", "-c16", "-d5s", *options, url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        raise SystemExit(out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def listing(rounds):
    """The cached list, its limiter on, against a bare route of the same server that gives the same bytes."""
    house = House()
    try:
        client = Client(house)
        for _ in range(10):
            client.engagement(chain(1))
        status, body, _ = client.call("GET", "/api/engagements")
        page = pathlib.Path(house.folder) / "list.json"
        page.write_bytes(body)
        bare = subprocess.Popen([BINARY, "bench", "bare", str(page)], stdout=subprocess.PIPE, text=True)
        bare_url = f"http://127.0.0.1:{json.loads(bare.stdout.readline())['port']}/"
        url, key = house.card["api"] + "/api/engagements", "Authorization: " + client.headers["Authorization"]
        pairs = [(requests_per_second(bare_url), requests_per_second(url, [key])) for _ in range(rounds)]
        stop(bare)
        half = min(ours for _, ours in pairs) / 2
        out = subprocess.run(["hey", "-z", "8s", "-c", "8", "-q", str(max(1, int(half / 8))), "-H", key, url],
                             capture_output=True, text=True, check=True).stdout
        late = 1000 * float(re.search(r"99%+ in ([\d.]+) secs", out)[1])
        return pairs, late, float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    finally:
        house.close()


def starts(count):
    """From the start's transaction to the first call's booking, by Postgres' clock, one run at a time on an idle fleet."""
    model, house = SlowModel(0.001), House()
    worker = house.worker(**model.settings)
    try:
        ready(house)
        client = Client(house)
        for _ in range(count):
            id = client.engagement(chain(1))
            client.run(id)
            until(lambda: house.call("GET", f"/api/engagements/{id}/status")["status"] == "completed", "a run")
        return sorted(float(row[0]) for row in house.sql(
            """SELECT 1000 * extract(epoch FROM min(c.started_at) - r.started_at)
               FROM runs r JOIN llm_calls c ON c.run_id = r.id GROUP BY r.id, r.started_at"""))
    finally:
        stop(worker)
        house.close()
        model.close()


def control(count):
    """Stop and pause of runs whose call is under way: the answer, the end of the call's connection, and what is begun later."""
    model, house = SlowModel(60), House()
    worker = house.worker(**model.settings, GC_WORKER_SLOTS="400")
    try:
        ready(house)
        uncap(house)
        client = Client(house)
        answers, told = {"stop": [], "pause": []}, []
        for verb in ("pause", "stop"):
            ids = [client.engagement(chain(2)) for _ in range(count)]
            for id in ids:
                client.run(id)
            open_calls = "SELECT count(*) FROM llm_calls c JOIN runs r ON r.id = c.run_id WHERE c.state = 'open' AND r.status = 'running'"
            until(lambda: house.number(open_calls) == count, "all calls to be under way")
            time.sleep(1)
            for id in ids:
                status, content, taken = client.call("POST", f"/api/engagements/{id}/{verb}")
                if status != 200:
                    raise SystemExit(f"{verb} answered {status}: {content.decode()}")
                answers[verb].append(taken)
                if verb == "stop":
                    told.append(time.time())
        until(lambda: house.number("SELECT count(*) FROM llm_calls c JOIN runs r ON r.id = c.run_id "
                                   "WHERE c.state = 'open' AND r.status = 'failed'") == 0, "the stopped calls to end")
        late = house.number("SELECT count(*) FROM llm_calls c JOIN runs r ON r.id = c.run_id WHERE c.started_at > r.finished_at")
        worker.kill()
        worker.wait()
        # The first that hung up are those of the stopped runs; the rest ended with the worker.
        ended = sorted(model.close()["hung_up"])[:count]
        # Hang-ups come in the order of the stops, give or take: the n-th end belongs to the n-th answer.
        closed = sorted(max(0.0, 1000 * (end - answer)) for end, answer in zip(ended, sorted(told)))
        return answers, closed, late
    finally:
        if worker.poll() is None:
            stop(worker)
        house.close()


def flight(count, length):
    """So many runs at once in one worker, each a chain of calls of one second: how much longer they take, and what one weighs."""
    model, house = SlowModel(1), House()
    worker = house.worker(**model.settings, GC_WORKER_SLOTS=str(count + 20))
    try:
        ready(house)
        uncap(house)
        client = Client(house)
        # A first few, so that what is made once is not counted.
        warm = [client.engagement(chain(1)) for _ in range(20)]
        for id in warm:
            client.run(id)
        finished = "SELECT count(*) FROM runs WHERE status = 'completed'"
        until(lambda: house.number(finished) == 20, "the first runs")
        before = resident(worker)
        ids = [client.engagement(chain(length)) for _ in range(count)]
        for id in ids:
            client.run(id)
        most = [before]
        until(lambda: most.append(resident(worker)) or house.number(finished) == count + 20, "all runs", every=0.5)
        rows = house.sql(f"""SELECT extract(epoch FROM max(c.finished_at) - min(c.started_at)) FROM runs r
                             JOIN llm_calls c ON c.run_id = r.id GROUP BY r.id HAVING count(*) = {length}""")
        stretches = [float(row[0]) / length for row in rows]
        return stretches, (max(most) - before) * 1024 / count
    finally:
        stop(worker)
        house.close()
        model.close()


PARAGRAPH = ("The client sells to seven regions through two channels, and each of them has asked for a plan of its own. "
             "We compared what they buy, what they pay and how long they stay, and we found that three of them decide the year. ")


def report(rounds):
    """From the request to the last byte of a PDF of forty pages that was never made before."""
    house = House()
    worker = house.worker()
    try:
        ready(house)
        client, taken, pages = Client(house), [], 0
        for number in range(rounds):
            id = client.engagement(chain(1))
            sections = "".join(f"## Part {n}\n\n{PARAGRAPH * 5}\n\n| Region | Value |\n|---|---|\n| North {number} | {n} |\n\n"
                               for n in range(12))
            house.sql(f"""INSERT INTO deliverables (id, tenant_id, engagement_id, task_id, filename, content, version, word_count)
                SELECT 'bench{number}-' || n, tenant_id, id, 't' || n, 'part-' || n || '.md',
                       E'# Document ' || n || E'\\n\\n' || $text${sections}$text$, 1, 1000
                FROM engagements, generate_series(1, 7) n WHERE id = '{id}'""")
            status, body, milliseconds = client.call("GET", f"/api/engagements/{id}/export/pdf?include_provenance=true")
            if status != 200:
                raise SystemExit(f"the export answered {status}: {body[:300]}")
            taken.append(milliseconds / 1000)
            out = subprocess.run(["pdfinfo", "-"], input=body, capture_output=True, check=True).stdout.decode()
            pages = int(re.search(r"Pages:\s+(\d+)", out)[1])
        return sorted(taken), pages
    finally:
        stop(worker)
        house.close()


class Receiver:
    """Two TLS endpoints: one answers at once, the other never."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="gcr-")
        certificate, key = self.folder + "/cert.pem", self.folder + "/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.2",
                        "-addext", "subjectAltName=IP:127.0.0.2", "-keyout", key, "-out", certificate],
                       check=True, stderr=subprocess.DEVNULL)
        self.certificate, self.ended = certificate, threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/hangs":
                    receiver.ended.wait()
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.2", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"https://127.0.0.2:{self.server.server_address[1]}{path}"

    def close(self):
        self.ended.set()
        self.server.shutdown()


def webhooks(rounds, events):
    """Milliseconds until a healthy endpoint has an event: alone, and beside one that never answers, in turn."""
    receiver = Receiver()
    # The same key in both processes: secrets that the API seals are opened by the worker.
    house = House(GC_NET_ALLOW="127.0.0.2/32", GC_WEBHOOK_CA_FILE=receiver.certificate, GC_RATE_COLLECTION="1000000/60",
                  GC_SECRET_KEY=base64.b64encode(os.urandom(32)).decode())
    worker = house.worker()
    try:
        ready(house)
        tenant = house.sql("SELECT id FROM tenants LIMIT 1")[0][0]
        made = subprocess.run([BINARY, "admin", "key", "create", "--tenant", tenant, "--scopes", "webhooks:write", "--json"],
                              env=house.env, capture_output=True, text=True, check=True).stdout
        key = re.search(r'"(gck?[a-z_]*_[^"]{20,})"', made) or re.search(r'"key"\s*:\s*"([^"]+)"', made)
        client = Client(house)
        client.headers["Authorization"] = "Bearer " + key[1]
        endpoints = {}
        for name in ("healthy", "hangs"):
            status, body, _ = client.call("POST", "/api/v1/webhook-endpoints", {"url": receiver.url("/" + name)})
            if status != 201:
                raise SystemExit(f"an endpoint was refused with {status}: {body.decode()}")
            endpoints[name] = json.loads(body)["data"]["id"]
        results = {"alone": [], "beside": []}
        for _ in range(rounds):
            for case in results:
                seen = house.number("SELECT coalesce(max(extract(epoch FROM created_at)), 0) FROM webhook_deliveries")
                for number in range(events):
                    # One in four is also for the endpoint that hangs.
                    for name in ("hangs", "healthy") if case == "beside" and number % 4 == 0 else ("healthy",):
                        status, body, _ = client.call("POST", f"/api/v1/webhook-endpoints/{endpoints[name]}/test")
                        if status != 200:
                            raise SystemExit(f"an event was refused with {status}: {body.decode()}")
                healthy = (f"FROM webhook_deliveries WHERE endpoint_id = '{endpoints['healthy']}' "
                           f"AND created_at > to_timestamp({seen}) + interval '1 microsecond'")
                until(lambda: house.number(f"SELECT count(*) {healthy} AND status = 'delivered'") >= events, "the deliveries")
                results[case] += [float(row[0]) for row in house.sql(
                    f"SELECT 1000 * extract(epoch FROM delivered_at - created_at) {healthy}")]
                house.sql("UPDATE webhook_deliveries SET status = 'cancelled', next_attempt_at = NULL WHERE status = 'pending'")
        return results
    finally:
        receiver.close()
        stop(worker)
        house.close()


def row(name, value):
    print(f"{name:<66}  {value}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="list,start,control,flight,pdf,webhooks")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    wanted = options.only.split(",")
    if "list" in wanted:
        say("the cached list and a bare route, in turn …")
        pairs, late, rate = listing(options.rounds)
        ratios = [ours / bare for bare, ours in pairs]
        row("bare route of the same server", f"{statistics.median(b for b, _ in pairs):,.0f} requests/s")
        row("cached list, limiter on", f"{statistics.median(o for _, o in pairs):,.0f} requests/s")
        row("ratio, pair by pair (aim 0.60)", f"{min(ratios):.2f} / {statistics.median(ratios):.2f} / {max(ratios):.2f}")
        row(f"cached list at {rate:,.0f} requests/s, p99 (aim 10)", f"{late:.1f} ms")
    if "start" in wanted:
        say("starting runs on an idle fleet …")
        waits = starts(40)
        row("start to first call begun, p50 / p99 (aim 50)", f"{share(waits, 0.5):.1f} / {share(waits, 0.99):.1f} ms")
    if "control" in wanted:
        say("pausing and stopping runs …")
        answers, closed, late = control(100)
        for verb, aim in (("stop", 10), ("pause", 15)):
            row(f"{verb}, request to answer, p50 / p99 (aim {aim})",
                f"{share(answers[verb], 0.5):.1f} / {share(answers[verb], 0.99):.1f} ms")
        row(f"stopped calls' connections closed, of {len(closed)}, p50 / p95 (aim 500)",
            f"{share(closed, 0.5):.0f} / {share(closed, 0.95):.0f} ms")
        row("calls begun after a stop", f"{late:.0f}")
    if "flight" in wanted:
        say("500 runs at once in one worker …")
        stretches, weight = flight(500, 5)
        row("500 runs of five calls of 1 s, stretch p50 / p95 (aim 1.15)",
            f"{share(stretches, 0.5):.3f} / {share(stretches, 0.95):.3f}")
        row("memory of a run in flight (aim 48)", f"{weight:.0f} KiB")
    if "pdf" in wanted:
        say("exporting reports …")
        taken, pages = report(options.rounds)
        row(f"PDF of {pages} pages, cold, median / longest (aim 1.5 for 40)",
            f"{statistics.median(taken):.2f} / {max(taken):.2f} s")
    if "webhooks" in wanted:
        say("webhooks, with and without an endpoint that hangs …")
        results = webhooks(options.rounds, 150)
        alone, beside = share(results["alone"], 0.99), share(results["beside"], 0.99)
        row("healthy endpoint, alone, p50 / p99", f"{share(results['alone'], 0.5):.0f} / {alone:.0f} ms")
        row("healthy endpoint beside a hanging one, p50 / p99", f"{share(results['beside'], 0.5):.0f} / {beside:.0f} ms")
        row("ratio of the p99 (aim 1.25 at most)", f"{beside / alone:.2f}")


if __name__ == "__main__":
    main()
