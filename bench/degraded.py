#!/usr/bin/env python3
"""Takes Redis and Postgres away from a running fleet, and prints what callers and jobs noticed, as a Markdown table.

    bench/degraded.py [--redis 60] [--postgres 30] [--calm 15] [--binary .build/release/groundcrew]

Everything is private: Postgres with fsync, Redis with AOF, one API, two schedulers, two workers, all children of this
script. Callers: ten reads a second of /api/health and of an engagement's status. Work: no-op jobs, added all the time.
"""
import argparse, json, os, pathlib, random, shutil, signal, statistics, subprocess, sys, tempfile, threading, time
import urllib.error, urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
POSTGRES = "/usr/lib/postgresql/15/bin/"


def until(condition, what, limit=60, every=0.05):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(every)
    raise SystemExit(f"waited {limit} s in vain for {what}")


class Fleet:
    def __init__(self, binary):
        self.folder = tempfile.mkdtemp(prefix="gcd-", dir="/tmp")
        os.chmod(self.folder, 0o777)
        self.data = self.folder + "/pg"
        self.owner = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run(self.owner + [POSTGRES + "initdb", "-D", self.data, "-U", "groundcrew", "-A", "trust"],
                       check=True, stdout=subprocess.DEVNULL)
        self.binary, self.port = binary, random.randint(20000, 30000)
        self.children = {}
        self.redis()
        self.postgres()
        rates = {f"GC_RATE_{tier}": "1000000/60" for tier in ("ENGINE", "API", "READ")}
        self.env = {**os.environ, **rates, "GC_LOG_LEVEL": "critical",
                    "DATABASE_URL": f"postgresql://groundcrew@127.0.0.1:{self.port}/postgres?sslmode=disable",
                    "REDIS_URL": f"redis://127.0.0.1:{self.port + 1}/0"}
        self.run("migrate")
        self.tenant = json.loads(self.run("admin", "tenant", "create", "--name", "Bench", "--plan", "enterprise", "--json"))
        self.start("api", "api", "--port", str(self.port + 2))
        for number in range(2):
            self.start(f"scheduler {number}", "scheduler")
            self.start(f"worker {number}", "worker")
        until(lambda: self.call("/api/health")[0] == 200, "the API")
        body = {"name": "B", "client": "B", "brief": "B", "budget": 1}
        self.engagement = self.call("/api/engagements", body)[1]["id"]

    def postgres(self):
        self.spawn("postgres", self.owner + [
            POSTGRES + "postgres", "-D", self.data, "-p", str(self.port), "-k", self.folder, "-c", "listen_addresses=127.0.0.1"])
        until(lambda: subprocess.run([POSTGRES + "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0,
              "Postgres")

    def redis(self):
        self.spawn("redis", ["redis-server", "--port", str(self.port + 1), "--bind", "127.0.0.1", "--dir", self.folder,
                             "--appendonly", "yes", "--save", ""])
        until(lambda: subprocess.run(["redis-cli", "-p", str(self.port + 1), "ping"], capture_output=True).stdout == b"PONG\n",
              "Redis")

    def spawn(self, name, command, env=None):
        self.children[name] = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, name, *arguments):
        self.spawn(name, [self.binary, *arguments], self.env)

    def run(self, *arguments):
        return subprocess.run([self.binary, *arguments], env=self.env, check=True, capture_output=True, text=True).stdout

    def call(self, path, body=None, timeout=15):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port + 2}{path}", data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + self.tenant["api_key"], "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, {}
        except OSError:
            return 0, {}

    def sql(self, statement):
        url = self.env["DATABASE_URL"]
        out = subprocess.run(["psql", url, "-qAtX", "-F", "\t", "-c", statement], capture_output=True, text=True, check=True)
        return [line.split("\t") for line in out.stdout.splitlines()]

    def signal(self, name, number):
        # The server itself, where the child is the wrapper that changes the account.
        child = self.children[name].pid
        inner = subprocess.run(["pgrep", "-P", str(child)], capture_output=True, text=True).stdout.split()
        os.kill(int(inner[0]) if name == "postgres" and self.owner and inner else child, number)

    def close(self):
        for child in self.children.values():
            child.send_signal(signal.SIGCONT)
            child.terminate()
        for child in self.children.values():
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Watch:
    """Callers and a producer that never stop; every answer is kept with its moment."""

    def __init__(self, fleet):
        self.fleet, self.answers, self.added, self.stopping = fleet, [], [], False
        paths = ["/api/health", f"/api/engagements/{fleet.engagement}/status"]
        self.threads = [threading.Thread(target=self.read, args=(path,)) for path in paths]
        self.threads.append(threading.Thread(target=self.add))
        for thread in self.threads:
            thread.start()

    def read(self, path):
        while not self.stopping:
            began = time.time()
            status, _ = self.fleet.call(path)
            self.answers.append((began, path, status, (time.time() - began) * 1000))
            time.sleep(max(0, 0.1 - (time.time() - began)))

    def add(self):
        while not self.stopping:
            began = time.time()
            done = subprocess.run([self.fleet.binary, "bench", "enqueue", "--jobs", "500", "--callers", "1"],
                                  env=self.fleet.env, capture_output=True, text=True)
            if done.returncode == 0:
                self.added.append(json.loads(done.stdout)["jobs"])
            time.sleep(max(0, 1 - (time.time() - began)))

    def close(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()

    def row(self, name, start, end):
        seen = [answer for answer in self.answers if start <= answer[0] < end]
        times = sorted(answer[3] for answer in seen) or [float("nan")]
        codes = {}
        for answer in seen:
            codes[answer[2]] = codes.get(answer[2], 0) + 1
        jobs = int(self.fleet.sql(f"""SELECT count(*) FROM jobs WHERE state = 'done' AND finished_at >= to_timestamp({start})
                                      AND finished_at < to_timestamp({end})""")[0][0])
        words = ", ".join(f"{count} × {code or 'no answer'}" for code, count in sorted(codes.items()))
        return (f"| {name} | {statistics.median(times):.1f} | {times[int(len(times) * 0.99)]:.1f} | {times[-1]:.0f} "
                f"| {words} | {jobs / (end - start):,.0f} |")


def scenario(fleet, title, away, seconds, calm, harm, heal):
    print(f"\n## {title}, {seconds} s\n", flush=True)
    watch = Watch(fleet)
    start = time.time()
    time.sleep(calm)
    taken = time.time()
    harm()
    time.sleep(seconds)
    back = time.time()
    heal()
    time.sleep(calm)
    end = time.time()
    watch.close()
    until(lambda: fleet.sql("SELECT count(*) FROM jobs WHERE state IN ('queued','running')") == [["0"]], "all jobs to end", 120)
    good = [answer[0] + answer[3] / 1000 for answer in watch.answers if answer[0] >= back and answer[2] == 200]
    done = fleet.sql(f"SELECT extract(epoch FROM min(finished_at)) FROM jobs WHERE finished_at > to_timestamp({back})")[0][0]
    print("| | API p50, ms | p99 | longest | answers | jobs/s |\n|---|---|---|---|---|---|")
    print(watch.row("before", start, taken))
    print(watch.row("during", taken, back))
    print(watch.row("after", back, end))
    ended = int(fleet.sql("SELECT count(*) FROM jobs WHERE state = 'done'")[0][0])
    odd = int(fleet.sql("SELECT count(*) FROM jobs WHERE state NOT IN ('done')")[0][0])
    print(f"\nFirst good answer {min(good) - back:.2f} s and first job done {float(done) - back:.2f} s after its return. "
          f"Jobs acknowledged {sum(watch.added)}, done {ended}, anything else {odd}.", flush=True)
    fleet.sql("TRUNCATE jobs")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--redis", type=float, default=60)
    parser.add_argument("--postgres", type=float, default=30)
    parser.add_argument("--calm", type=float, default=15)
    parser.add_argument("--binary", default=os.environ.get("GC_BINARY", str(ROOT / ".build/release/groundcrew")))
    options = parser.parse_args()
    fleet = Fleet(options.binary)
    try:
        print("# Degraded modes\n\n`bench/degraded.py`: one API, two schedulers, two workers on the machine of the servers; "
              "20 reads and up to 500 new jobs a second.")
        stopped = lambda: fleet.children["redis"].kill() or fleet.children["redis"].wait()
        scenario(fleet, "Redis killed", "redis", options.redis, options.calm, stopped, fleet.redis)
        scenario(fleet, "Redis hangs (SIGSTOP)", "redis", options.redis, options.calm,
                 lambda: fleet.signal("redis", signal.SIGSTOP), lambda: fleet.signal("redis", signal.SIGCONT))

        def kill_postgres():
            fleet.signal("postgres", signal.SIGQUIT)
            fleet.children["postgres"].wait()

        scenario(fleet, "Postgres killed", "postgres", options.postgres, options.calm, kill_postgres, fleet.postgres)
    finally:
        fleet.close()


main()
