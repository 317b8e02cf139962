#!/usr/bin/env python3
"""Posts the same request many times at once while API processes are killed, and counts what was made.

    bench/idempotency.py [--rounds 200] [--parallel 100] [--seed 1]

Each round has an Idempotency-Key of its own. Two API processes serve it, and in every round one of them gets SIGKILL at a
random moment and is started again. Every tenth round is one of live mode, where a new task waits for its page at Stripe: a
stand-in on a socket of its own, which answers slowly and counts what it
makes. Each of the parallel callers tries again at the other process until it has an answer.

Ends with 1 unless there is exactly one task per round, one page per live round, and all answers of a round are the same bytes.
Needs .build/release/groundcrew, or another binary in GC_BINARY.
"""
import argparse, http.client, http.server, json, os, random, socket, subprocess, sys, threading, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run import BINARY, House, say, stop, until

TASK = json.dumps({"title": "Record a busy street", "instructions": "Walk any street for 30 s.", "reward_cents": 250,
                   "target_submissions": 2})
LIVE_EVERY = 10


class Stripe(http.server.BaseHTTPRequestHandler):
    """Makes one Checkout session per Idempotency-Key, and takes its time to say so."""

    protocol_version = "HTTP/1.1"
    made, lock = {}, threading.Lock()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.lock:
            number = self.made.setdefault(self.headers["Idempotency-Key"], len(self.made))
        time.sleep(0.2)
        self.answer({"id": f"cs_test_{number}", "url": f"https://pay.example/{number}"})

    def do_GET(self):
        self.answer({"object": "list", "data": [], "has_more": False})

    def answer(self, fields):
        body = json.dumps(fields).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Replicas:
    def __init__(self, house):
        self.env, self.ports = house.env, [free_port(), free_port()]
        self.processes = [self.start(port) for port in self.ports]
        self.kills = 0

    def start(self, port):
        return subprocess.Popen([BINARY, "api", "--port", str(port)], env=self.env, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def kill(self, index):
        self.processes[index].kill()
        self.processes[index].wait()
        self.kills += 1
        self.processes[index] = self.start(self.ports[index])

    def post(self, port, key, name):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("POST", "/api/v1/tasks", TASK,
                               {"Authorization": "Bearer " + key, "Idempotency-Key": name, "Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def answered(self, index):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.ports[index], timeout=5)
            connection.request("GET", "/api/health")
            return connection.getresponse().status == 200
        except OSError:
            return False


def play(replicas, number, parallel, key, moment):
    """One round: its answers, and how many tries they took."""
    answers, tries, lock = [], [0], threading.Lock()
    gate = threading.Barrier(parallel + 1)

    def caller(index):
        gate.wait()
        turn, end = index, time.monotonic() + 60
        while time.monotonic() < end:
            with lock:
                tries[0] += 1
            try:
                status, body = replicas.post(replicas.ports[turn % 2], key, f"round-{number}")
                if status == 201:
                    with lock:
                        answers.append(body)
                    return
            except (OSError, http.client.HTTPException):
                pass
            turn += 1
            time.sleep(0.02)

    threads = [threading.Thread(target=caller, args=(index,)) for index in range(parallel)]
    for thread in threads:
        thread.start()
    gate.wait()
    time.sleep(moment)
    replicas.kill(number % 2)
    for thread in threads:
        thread.join()
    return answers, tries[0]


def keys(house):
    made = subprocess.run([BINARY, "admin", "tenant", "create", "--name", "Buyer", "--json"], env=house.env, check=True,
                          capture_output=True, text=True).stdout
    tenant = json.loads(made)["tenant_id"]
    for mode in ("test", "live"):
        made = subprocess.run([BINARY, "admin", "key", "create", "--tenant", tenant, "--scopes", "tasks:read,tasks:write",
                               "--mode", mode, "--json"], env=house.env, check=True, capture_output=True, text=True).stdout
        yield json.loads(made)["key"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--parallel", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    stand_in = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stripe)
    threading.Thread(target=stand_in.serve_forever, daemon=True).start()
    # A live key serves no test tasks, so those of test mode wait for nobody.
    house = House(GC_RATE_COLLECTION="1000000/60", GC_STRIPE_SECRET_KEY="sk_live_bench",
                  GC_STRIPE_API_BASE=f"http://127.0.0.1:{stand_in.server_port}")
    worker, replicas, same, tries, lost = None, None, 0, 0, 0
    start = time.monotonic()
    try:
        test, live = keys(house)
        worker, replicas = house.worker(), Replicas(house)
        for index in range(2):
            until(lambda: replicas.answered(index), "an API process")
        for number in range(options.rounds):
            is_live = number % LIVE_EVERY == LIVE_EVERY - 1
            moment = chance.uniform(0, 0.6 if is_live else 0.4)
            answers, tried = play(replicas, number, options.parallel, live if is_live else test, moment)
            same += len(answers) == options.parallel and len(set(answers)) == 1
            lost += options.parallel - len(answers)
            tries += tried
            if number % 20 == 19:
                say(f"{number + 1} rounds, {replicas.kills} kills, {time.monotonic() - start:.0f} s")
        tasks = int(house.number("SELECT count(*) FROM collect_tasks"))
        half = int(house.number("SELECT count(*) FROM idempotency_keys WHERE unfinished_since IS NOT NULL"))
        kills = replicas.kills
    finally:
        for process in (replicas.processes if replicas else []) + ([worker] if worker else []):
            process.kill()
            process.wait()
        house.close()
        stand_in.shutdown()
    pages = options.rounds // LIVE_EVERY
    good = tasks == same == options.rounds and len(Stripe.made) == pages and half == lost == 0
    print("| | |\n|---|---|")
    for name, value in [
        ("rounds × requests at once", f"{options.rounds} × {options.parallel}"),
        ("API processes killed with SIGKILL", kills),
        ("requests sent, those that were cut off included", tries),
        ("requests that got no answer in 60 s", lost),
        ("tasks made", tasks), ("rounds whose answers were the same bytes", same),
        ("pages at Stripe, of live rounds", f"{len(Stripe.made)} of {pages}"),
        ("answers left half", half), ("seconds", round(time.monotonic() - start)),
        ("verdict", "as it must be" if good else "WRONG"),
    ]:
        print(f"| {name} | {value} |")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
