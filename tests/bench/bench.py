#!/usr/bin/env python3
"""Speed of manifesto, of the notary program and of other programs, on the same servers in the same run.

Usage: bench.py BUILD_DIRECTORY [growth|far|bundle|s3|release|copy]      (`make bench` runs it)

Without a word all is measured: `growth` what the number of records costs, `far` servers at 40 ms, `bundle` bundles, `s3` buckets, `release`
many images, `copy` promotions. Starts its own registry, Notary server and object store and makes repositories with BENCH_SIZES records. Each
figure is the median of BENCH_RUNS (7) runs of whole processes; the programs take turns, so that other load affects all of them. A ratio
is manifesto's time divided by notary's: below 1 manifesto is faster. A goal that is not met is reported, never an error. The growth is also
written to BUILD_DIRECTORY/bench.json, from which plot.py draws.
"""
import asyncio
import hashlib
import http.client
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"
RUNS = int(os.environ.get("BENCH_RUNS", "7"))
SIZES = [int(n) for n in os.environ.get("BENCH_SIZES", "1 1000 10000 50000 100000").split()]
BIG, BIG_RUNS = 50000, 3  # so many runs from there on
# A verdict is narrow when fewer of the turns than this agree with it; it is then measured again, so many times in all.
AGREE, TRIES = 0.8, 4
ROUND_TRIP = 0.020
FAR_TRIP = 0.040
FAR_IMAGES = 1000
TYPE = "note"
# Goals, as ratios to the notary program; those of BOTH are for CPU time too. MiB.
GOALS = {"cold get": {1: 1.0, 1000: 0.3, 10000: 0.08, 50000: 0.05, 100000: 0.05},
         "warm get": {1: 0.8, 1000: 0.1, 10000: 0.02, 50000: 0.01, 100000: 0.01},
         "list": {1: 0.8, 1000: 0.1, 10000: 0.02, 50000: 0.01, 100000: 0.01},
         "verify": {1: 0.8, 1000: 0.1, 10000: 0.02, 50000: 0.01, 100000: 0.01},
         "verify of 100 images": dict.fromkeys((1, 1000, 10000, 50000, 100000), 0.01),
         "put": {1: 2.0, 1000: 0.5, 10000: 0.1, 50000: 0.03, 100000: 0.03},
         "cold get, 20 ms": {1: 0.33}, "warm get, 20 ms": {1: 0.55}}
BOTH = {"warm get", "list", "verify"}
MEMORY_GOALS = {"cold get": 24, "warm get": 16, "list": 16, "verify": 16, "put": 30}
PUT_GOAL = 2  # times that at 1,000 records
BUNDLE_IMAGES = 100
BUNDLE_GOAL = 50  # ms of a verify of all
COPY_IMAGES, COPY_RECORDS = 30, 5
COPY_GOAL = 1.5  # times `oras cp -r`
# A publish to a bucket: times that to a directory, and its round trips, of which so many follow one another; the connection is one more.
BUCKET_GOAL, BUCKET_TRIPS = 2, 8
RELEASE_IMAGES = 30
RELEASE_GOAL = 2000  # ms of a put of a record to all of them
# Milliseconds that a put may cost more when an agent signs.
AGENT_GOAL = 5
# At FAR_TRIP: milliseconds, and requests to the registry.
FAR_GOALS = {"put of a new type": (500, 11), "put that replaces a record": (None, 13), "put with nothing to publish": (None, 4)}


class Proxy:
    """A TCP proxy on 127.0.0.1 that counts requests and bytes of both directions, and delays each direction by half a round trip.

    The kernel answers a new connection at once, so its first bytes are held for one round trip more. `exchanges` has the time from
    the start to the end of each new connection and of each request with its answer.
    """
    REQUEST = re.compile(rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE) \S+ HTTP/1\.1\r\n")

    def __init__(self, target, round_trip):
        host, port = target.rsplit(":", 1)
        self.target, self.round_trip = (host, int(port)), round_trip
        self.loop = asyncio.new_event_loop()
        # Connections that are still open end with this program: nothing to report.
        self.loop.set_exception_handler(lambda loop, context: None)
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self.serve, "127.0.0.1", 0), self.loop).result()
        self.address = "127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        self.reset()

    def reset(self):
        self.requests = self.bytes = 0
        self.exchanges = []

    async def serve(self, reader, writer):
        accepted = self.loop.time()
        held = accepted + self.round_trip
        self.exchanges.append([accepted, held])
        asked = []  # this connection's requests
        writers, pumps = [writer], []
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
            writers.append(far_writer)
            pumps = [self.loop.create_task(self.pump(reader, far_writer, held, lambda data: self.count_up(data, held, asked))),
                     self.loop.create_task(self.pump(far_reader, writer, 0, lambda data: self.count_down(data, asked)))]
            await asyncio.gather(*pumps)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for task in pumps:
                task.cancel()
            for each in writers:
                each.close()

    def count_up(self, data, held, asked):
        self.bytes += len(data)
        for _ in self.REQUEST.findall(data):
            self.requests += 1
            asked.append([max(self.loop.time(), held)] * 2)
            self.exchanges.append(asked[-1])

    def count_down(self, data, asked):
        self.bytes += len(data)
        if data and asked:
            asked[-1][1] = self.loop.time() + self.round_trip / 2

    async def pump(self, reader, writer, held, count):
        queue = asyncio.Queue()
        sender = self.loop.create_task(self.send(queue, writer))
        data = b"-"
        try:
            while data:
                data = await reader.read(1 << 18)
                count(data)
                queue.put_nowait((max(self.loop.time(), held) + self.round_trip / 2, data))
            await sender
        finally:
            sender.cancel()

    async def send(self, queue, writer):
        while True:
            due, data = await queue.get()
            if due > self.loop.time() and self.round_trip:
                await asyncio.sleep(due - self.loop.time())
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(data)
            await writer.drain()


def in_sequence(exchanges):
    """The longest chain of exchanges each of which began after the one before it ended."""
    count, end = 0, 0.0
    for start, stop in sorted(exchanges, key=lambda e: e[1]):
        if start >= end:
            count, end = count + 1, stop
    return count


def in_flight(exchanges):
    """The greatest number of exchanges at one time."""
    most = now = 0
    for _, change in sorted([(e[0], 1) for e in exchanges] + [(e[1], -1) for e in exchanges]):
        now += change
        most = max(most, now)
    return most


class Cost:
    """What runs of one command took: medians of time in ms, the greatest peak memory in MiB."""

    def __init__(self, samples):
        self.walls = [s[0] / 1000 for s in samples]
        self.wall = statistics.median(s[0] for s in samples) / 1000
        self.least = min(s[0] for s in samples) / 1000
        self.cpu = statistics.median(s[1] for s in samples) / 1000
        self.memory = max(s[2] for s in samples) / 1024


class Bench:
    def __init__(self, build, top):
        self.build, self.top = pathlib.Path(build).resolve(), pathlib.Path(top)
        self.program = str(self.build / "manifesto")
        self.cache = self.top / "cache"
        self.serial = 0
        # Nothing of the user's is read: neither configuration nor proxies nor keys.
        self.env = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "HOME": str(self.top), "LC_ALL": "C", "TZ": "UTC",
                    "TMPDIR": str(self.top), "XDG_CONFIG_HOME": str(self.top / "config"), "MANIFESTO_HOME": str(self.top / "home"), "MANIFESTO_KEY": "bench",
                    "XDG_CACHE_HOME": str(self.cache), "NOTARY_ROOT_PASSPHRASE": "", "NOTARY_TARGETS_PASSPHRASE": "",
                    "NOTARY_SNAPSHOT_PASSPHRASE": ""}
        self.result = {"date": time.strftime("%Y-%m-%d"), "machine": machine(), "runs": RUNS, "costs": [], "verdicts": []}
        directories = os.pathsep.join(filter(None, (os.environ.get("INTEROP_PEERS"), os.environ["PATH"])))
        found = {name: shutil.which(name, path=directories) for name in ("cosign", "notation", "oras")}
        self.peers = {name: path for name, path in found.items() if path}
        self.content = self.top / "content.json"
        self.content.write_text('{"verdict":"pass"}\n')

    def call(self, *argv, **options):
        """Runs a command of the preparation; its stdout."""
        done = subprocess.run([str(a) for a in argv], env=self.env, cwd=self.top, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
        if done.returncode != 0:
            raise SystemExit("bench: '%s' ended with status %d\n%s" % (shlex.join(map(str, argv)), done.returncode, done.stderr))
        self.stderr = done.stderr
        return done.stdout

    def sample(self, argv, count=1):
        return [int(word) for word in self.call(self.build / "tests/bench/run", count, *argv).split()]

    def turns(self, *commands, runs=RUNS, narrow=lambda costs: False):
        """Costs of several commands that take turns. Each is a function that prepares a run and returns its argv."""
        samples, costs, tries = [[] for _ in commands], [], 0
        while not costs or tries < TRIES and narrow(costs):
            for _ in range(runs):
                for command, found in zip(commands, samples):
                    found.append(self.sample(command()))
            costs, tries = [Cost(found) for found in samples], tries + 1
        return costs

    def hundred(self, once, each, count, narrow):
        """Cost of a command for 100 images, and of 100 runs of one for each image, of which `count` are run each time; medians of ten or more."""
        samples, costs, tries = [], [], 0
        while not costs or tries < TRIES and narrow(costs):
            samples += [(self.sample(once), self.sample(each, count)) for _ in range(10)]
            theirs = [(s[1][0] * 100 / count, s[1][1] * 100 / count, s[1][2]) for s in samples]
            costs, tries = [Cost([s[0] for s in samples]), Cost(theirs)], tries + 1
        return costs

    def fresh(self):
        self.serial += 1
        return self.serial

    def forget(self):
        shutil.rmtree(self.cache, ignore_errors=True)

    # --- servers and repositories

    def start_lab(self):
        self.lab = self.call("bash", SUPPORT / "lab.sh", "dir").strip()
        # The servers outlive the script that starts them: their output must not be a pipe of ours.
        self.call("bash", SUPPORT / "lab.sh", "start", "--owner", os.getpid(), self.lab, "registry", "notary", "s3")
        text = (pathlib.Path(self.lab) / "lab.env").read_text()
        found = dict(re.findall(r"^(\w+)='(.*)'$", text, re.M))
        self.registry, self.notary_url, self.s3 = found["REGISTRY"], found["NOTARY"], found["S3"]
        self.bucket_url = "tuf+s3://%s/bench" % found["S3_BUCKET"]
        self.env |= {"AWS_ENDPOINT_URL_S3": self.s3, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": found["S3_KEY_ID"],
                     "AWS_SECRET_ACCESS_KEY": found["S3_SECRET"]}

    def stop_lab(self):
        if getattr(self, "lab", None):
            self.call("bash", SUPPORT / "lab.sh", "stop", "--purge", self.lab)

    def make_image(self, name):
        layout = self.top / name
        self.call(sys.executable, SUPPORT / "mkimage.py", "--tag", "1.0", layout)
        return layout, json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]

    def fill(self, image, server, n, *subjects):
        self.call(self.program, "put", "--init", "--no-passphrase", image, TYPE, self.content)
        if n > 1:
            self.call(self.build / "tests/bench/fill", image, n - 1, self.env["MANIFESTO_HOME"], self.cache, server,
                      self.content, *subjects)


class Repository:
    """One repository with N records on the servers, and the commands that are compared."""

    def __init__(self, bench, n, registry, url, images=1):
        self.bench, self.n, self.url = bench, n, url
        self.gun = "%s/bench/n%d" % (registry, n)
        layout, self.digest = bench.make_image("image-%d-%s" % (n, registry.replace(":", "-")))
        self.image = self.gun + ":1.0"
        bench.env["MANIFESTO_TRUST_SERVER"] = url
        bench.call("skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false", "oci:%s:1.0" % layout, "docker://" + self.image)
        bench.fill(self.image, url, n, *([self.more_images(images - 1)] if images > 1 else []))
        self.target = "%s/%s" % (TYPE, self.digest.replace(":", "-"))
        self.trust_dir = layout / "notary"
        (self.trust_dir / "private").mkdir(parents=True)
        bench.call(bench.program, "key", "export", "bench", "--role", "targets", "--gun", self.gun, self.trust_dir / "private")
        bench.call(*self.notary("lookup", self.gun, self.target))

    def more_images(self, count):
        """Gives the repository more images, which differ in an annotation; returns a file with their digests."""
        address, name = self.gun.split("/", 1)
        registry = http.client.HTTPConnection(address)

        def ask(method, what, body=None, kind="application/vnd.oci.image.manifest.v1+json"):
            registry.request(method, "/v2/%s/manifests/%s" % (name, what), body, {"Content-Type": kind, "Accept": kind})
            answer = registry.getresponse()
            text = answer.read()
            if answer.status not in (200, 201):
                raise SystemExit("bench: %s of manifest %s: %d" % (method, what, answer.status))
            return text

        manifest, digests = json.loads(ask("GET", self.digest)), []
        for i in range(count):
            manifest["annotations"] = {"number": str(i)}
            body = json.dumps(manifest).encode()
            ask("PUT", "more-%d" % i, body)
            digests.append("sha256:" + hashlib.sha256(body).hexdigest())
        registry.close()
        path = self.bench.top / "subjects"
        path.write_text("".join(digest + "\n" for digest in digests))
        return path

    def notary(self, *argv, where=None):
        return ["notary", "-s", self.url, "-d", str(where or self.trust_dir), *argv]

    def get(self, cold=False, by_digest=False):
        if cold:
            self.bench.forget()
        return [self.bench.program, "get", self.gun + "@" + self.digest if by_digest else self.image, TYPE]

    def verify(self):
        return [self.bench.program, "verify", "--require", TYPE, self.gun + "@" + self.digest]

    def verify_hundred(self):
        return [self.bench.program, "verify", "--require", TYPE] + 100 * [self.gun + "@" + self.digest]

    def lookup(self, cold=False):
        where = None
        if cold:
            where = self.bench.top / "empty"
            shutil.rmtree(where, ignore_errors=True)
            where.mkdir()
        return self.notary("lookup", self.gun, self.target, where=where)

    def list(self):
        return [self.bench.program, "list", self.image]

    def attach(self):
        """What other programs verify: the record as cosign reads it, and a signature of notation's."""
        bench, config = self.bench, self.bench.top / "config/notation"
        if "cosign" in bench.peers:
            bench.call(bench.program, "key", "export", "bench", "-o", bench.top / ("bench-%d.pub" % bench.fresh()))
            self.public = bench.top / ("bench-%d.pub" % bench.serial)
            bench.call(bench.program, "export", self.image, TYPE, "--attach")
        if "notation" in bench.peers:
            if not config.exists():
                bench.call(bench.peers["notation"], "cert", "generate-test", "--default", "bench")
                (config / "trustpolicy.json").write_text(json.dumps({"version": "1.0", "trustPolicies": [{
                    "name": "bench", "registryScopes": ["*"], "signatureVerification": {"level": "strict"},
                    "trustStores": ["ca:bench"], "trustedIdentities": ["*"]}]}))
            bench.call(bench.peers["notation"], "sign", "--insecure-registry", self.gun + "@" + self.digest)

    def cosign(self):
        return [self.bench.peers["cosign"], "verify-attestation", "--key", str(self.public), "--insecure-ignore-tlog", "--type",
                "urn:manifesto:record:v1", self.gun + "@" + self.digest]

    def notation(self):
        return [self.bench.peers["notation"], "verify", "--insecure-registry", self.gun + "@" + self.digest]

    def discover(self):
        return [self.bench.peers["oras"], "discover", "--plain-http", self.gun + "@" + self.digest]

    def put(self):
        return [self.bench.program, "put", self.image, "more-%d" % self.bench.fresh(), str(self.bench.content)]

    def put_other(self):
        other = self.bench.top / ("other-%d.json" % self.bench.fresh())
        other.write_text(other.name)
        return [self.bench.program, "put", self.image, TYPE, str(other)]

    def put_same(self):
        return [self.bench.program, "put", self.image, "type-1", str(self.bench.content)]

    def list_all(self):
        return [self.bench.program, "list", "--all", self.gun]

    def add(self):
        return self.notary("add", "-p", self.gun, "more/%d" % self.bench.fresh(), str(self.bench.content))


# --- the report

def verdict(goal, ratio):
    return "goal %.2f: %s" % (goal, "met" if ratio <= goal else "NOT MET")


def is_split(met):
    return max(met.count(True), met.count(False)) < AGREE * len(met)


def is_narrow(goal, ours, theirs):
    """Do too few turns agree on which side of the goal the ratio is?"""
    met = [a <= goal * b for a, b in zip(ours.walls, theirs.walls)]
    return is_split(met)


def is_narrow_wall(most, ours):
    """The same of a time by itself."""
    return is_split([wall <= most for wall in ours.walls])


def verdict_of(name, n, ours, theirs):
    """Whether the goals of a row are met; "" without goals."""
    goal, most, parts = GOALS.get(name, {}).get(n), MEMORY_GOALS.get(name), []
    if goal:
        ratio = max(ours.wall / theirs.wall, ours.cpu / theirs.cpu if name in BOTH else 0)
        narrow = ", narrow" if is_narrow(goal, ours, theirs) else ""
        parts.append(verdict(goal, ratio) + narrow + (", %d runs" % len(ours.walls) if narrow or len(ours.walls) > RUNS else ""))
    if most:
        parts.append("%d MiB: %s" % (most, "met" if ours.memory <= most else "NOT MET"))
    return "; ".join(parts)


HEAD = "%-30s %7s | %9s %8s %7s | %9s %8s %7s | %6s %6s | %s"


def head():
    line = HEAD % ("", "records", "manifesto", "CPU ms", "MiB", "notary ms", "CPU ms", "MiB", "time", "CPU", "")
    print(line, "-" * 128, sep="\n")


def row(bench, name, n, ours, theirs, goal=None):
    text = verdict_of(goal or name, n, ours, theirs)
    bench.result["verdicts"].append({"case": name, "records": n, "time": ours.wall / theirs.wall, "cpu": ours.cpu / theirs.cpu,
                                     "ours": [ours.wall, ours.cpu, ours.memory], "theirs": [theirs.wall, theirs.cpu, theirs.memory],
                                     "verdict": text})
    print(HEAD % (name, format(n, ","), "%.1f" % ours.wall, "%.1f" % ours.cpu, "%.1f" % ours.memory, "%.1f" % theirs.wall,
                  "%.1f" % theirs.cpu, "%.1f" % theirs.memory, "%.3f" % (ours.wall / theirs.wall), "%.3f" % (ours.cpu / theirs.cpu), text),
          flush=True)


# --- growth: what the number of records costs

def cases(repo):
    """What is compared: a name, and for each program the function that prepares a run of it."""
    peers = repo.bench.peers
    by_digest = {"notary": lambda: repo.lookup(cold=True)}
    return [("cold get", {"manifesto": lambda: repo.get(cold=True), **by_digest}),
            ("cold get @DIGEST", {"manifesto": lambda: repo.get(cold=True, by_digest=True), **by_digest}),
            ("warm get", {"manifesto": repo.get, "notary": repo.lookup}),
            ("list", {"manifesto": repo.list, "notary": lambda: repo.notary("list", repo.gun),
                      **({"oras discover": repo.discover} if "oras" in peers else {})}),
            ("verify", {"manifesto": repo.verify, "notary": repo.lookup,
                        **({"cosign verify-attestation": repo.cosign} if "cosign" in peers else {}),
                        **({"notation verify": repo.notation} if "notation" in peers else {})}),
            ("put", {"manifesto": repo.put, "notary": repo.add})]


def is_cold(name):
    return name.startswith("cold")


def compare(bench, repo):
    """Time, CPU and memory."""
    n, runs = repo.n, RUNS if repo.n < BIG else min(RUNS, BIG_RUNS)
    for name, programs in cases(repo):
        goal = name.replace(" @DIGEST", "")
        limit = GOALS.get(goal, {}).get(n)
        for command in () if is_cold(name) else programs.values():
            bench.sample(command())  # the first put lists in the registry's catalogue what `fill` published
        costs = dict(zip(programs, bench.turns(*programs.values(), runs=runs,
                                               narrow=lambda c: limit and is_narrow(limit, c[0], c[1]))))
        row(bench, name, n, costs["manifesto"], costs["notary"], goal)
        for program, cost in costs.items():
            bench.result["costs"].append({"case": name, "program": program, "records": n, "ms": cost.wall, "cpu": cost.cpu,
                                          "mib": cost.memory})
            if program not in ("manifesto", "notary"):
                print("%-30s %7s | %9s %8s %7s | %9.1f %8.1f %7.1f |" % ("... " + program, "", "", "", "", cost.wall, cost.cpu, cost.memory))
    name = "verify of 100 images"
    ours, theirs = bench.hundred(repo.verify_hundred(), repo.lookup(), 10 if n < BIG else 1,
                                 lambda c: n in GOALS[name] and is_narrow(GOALS[name][n], *c))
    row(bench, name, n, ours, theirs)


def count(bench, n):
    """Requests, bytes of both directions, and round trips one after another, with both servers ROUND_TRIP away."""
    proxies = registry, notary = Proxy(bench.registry, 0), Proxy(bench.notary_url[len("http://"):], 0)
    repo = Repository(bench, n, registry.address, "http://" + notary.address)
    repo.attach()
    for name, programs in cases(repo):
        for program, command in programs.items():
            registry.round_trip = notary.round_trip = 0
            if not is_cold(name):
                bench.call(*command())
            argv = command()
            for proxy in proxies:
                proxy.reset()
                proxy.round_trip = ROUND_TRIP
            bench.call(*argv)
            found = {"requests": registry.requests + notary.requests, "bytes": registry.bytes + notary.bytes,
                     "trips": in_sequence(registry.exchanges + notary.exchanges)}
            for cost in bench.result["costs"]:
                if (cost["case"], cost["program"], cost["records"]) == (name, program, n):
                    cost |= found
            print("%-30s %7s | %-26s %9d %14s %9d" % (name, format(n, ","), program, found["requests"], format(found["bytes"], ","),
                                                     found["trips"]), flush=True)


def growth(bench):
    head()
    for n in SIZES:
        repo = Repository(bench, n, bench.registry, bench.notary_url)
        repo.attach()
        compare(bench, repo)
    puts = {c["records"]: c["ms"] for c in bench.result["costs"] if (c["case"], c["program"]) == ("put", "manifesto")}
    if {1000, max(SIZES)} <= puts.keys() and max(SIZES) > 1000:
        ratio = puts[max(SIZES)] / puts[1000]
        print("put at %s records: %.2f times that at 1,000 | %s" % (format(max(SIZES), ","), ratio, verdict(PUT_GOAL, ratio)))
    print("\n%-30s %7s | %-26s %9s %14s %9s\n%s" % ("both servers at %.0f ms" % (1000 * ROUND_TRIP), "records", "", "requests", "bytes",
                                                   "one by one", "-" * 102))
    for n in SIZES:
        count(bench, n)
    compare_far(bench)
    (bench.build / "bench.json").write_text(json.dumps(bench.result, indent=1) + "\n")


def compare_far(bench):
    """Both servers 20 ms away; also the connections, which a program hides best."""
    registry, notary = Proxy(bench.registry, 0), Proxy(bench.notary_url[len("http://"):], 0)
    repo = Repository(bench, 1, registry.address, "http://" + notary.address)
    registry.round_trip = notary.round_trip = ROUND_TRIP
    for name, cold in (("cold get, 20 ms", True), ("warm get, 20 ms", False)):
        bench.sample(repo.get())
        ours, digest, theirs = bench.turns(
            lambda: repo.get(cold), lambda: repo.get(cold, by_digest=True), lambda: repo.lookup(cold),
            narrow=lambda c: any(is_narrow(GOALS[name][1], ours, c[2]) for ours in c[:2]))
        row(bench, name, 1, ours, theirs)
        row(bench, name + ", @DIGEST", 1, digest, theirs, name)


FAR_HEAD = "%-28s | %8s %8s %8s %8s %8s | %8s %8s %8s | %s"


def far_row(bench, name, proxies, ours, theirs):
    """One command of each program with the servers FAR_TRIP away: time, requests, round trips one after another."""
    goal_ms, goal_requests = FAR_GOALS.get(name, (None, None))
    costs = bench.turns(ours, theirs, narrow=lambda c: goal_ms and is_narrow_wall(goal_ms, c[0]))
    cells = []
    for cost, argv in zip(costs, (ours(), theirs())):
        for proxy in proxies:
            proxy.reset()
        bench.call(*argv)
        exchanges = proxies[0].exchanges + proxies[1].exchanges
        cells.append((cost.wall, proxies[0].requests, proxies[1].requests, in_sequence(exchanges), in_flight(exchanges)))
    (time_ms, registry, trust, chain, flight), (their_ms, _, their_trust, their_chain, _) = cells
    verdicts = ["goal %d ms: %s" % (goal_ms, "met" if time_ms <= goal_ms else "NOT MET")] if goal_ms else []
    if goal_requests:
        verdicts.append("goal %d requests: %s" % (goal_requests, "met" if registry <= goal_requests else "NOT MET"))
    print(FAR_HEAD % (name, "%.0f" % time_ms, registry, trust, chain, flight, "%.0f" % their_ms, their_trust, their_chain,
                      ", ".join(verdicts)), flush=True)


def compare_round_trips(bench):
    """What round trips cost: both servers FAR_TRIP away, an image with 20 records, a repository with FAR_IMAGES images."""
    proxies = registry, notary = Proxy(bench.registry, 0), Proxy(bench.notary_url[len("http://"):], 0)
    url = "http://" + notary.address
    repo = Repository(bench, 1, registry.address, url)
    for i in range(19):
        bench.call(bench.program, "put", repo.image, "type-%d" % i, bench.content)
    bench.call(*repo.add())
    many = Repository(bench, FAR_IMAGES, registry.address, url, FAR_IMAGES)
    registry.round_trip = notary.round_trip = FAR_TRIP
    print("\nboth servers at %d ms; an image with 20 records; a repository with %s images" % (FAR_TRIP * 1000, format(FAR_IMAGES, ",")))
    print(FAR_HEAD % ("", "ms", "requests", "requests", "one by", "most in", "notary", "requests", "one by", ""))
    print(FAR_HEAD % ("", "", "registry", "trust", "one", "flight", "ms", "trust", "one", ""), "-" * 128, sep="\n")
    far_row(bench, "put of a new type", proxies, repo.put, repo.add)
    far_row(bench, "put that replaces a record", proxies, repo.put_other, repo.add)
    far_row(bench, "put with nothing to publish", proxies, repo.put_same, repo.lookup)
    far_row(bench, "list --all", proxies, many.list_all, lambda: many.notary("list", many.gun))


BUCKET_HEAD = "%-28s %7s | %9s %9s %9s | %9s %9s %9s | %s"


def buckets(bench):
    """A publish to a bucket beside one to a directory and one to the Notary server; the store near, and ROUND_TRIP away."""
    store, server = Proxy(bench.s3[len("http://"):], 0), Proxy(bench.notary_url[len("http://"):], 0)
    bench.env["AWS_ENDPOINT_URL_S3"] = "http://" + store.address
    directory = "tuf+file://%s/directory" % bench.top
    print("\n" + BUCKET_HEAD % ("put of one more", "records", "bucket ms", "directory", "notary", "bucket,", "one by", "notary,", ""))
    print(BUCKET_HEAD % ("", "", "", "ms", "ms", "20 ms", "one", "20 ms", ""), "-" * 128, sep="\n")
    for n in [n for n in SIZES if n < BIG]:
        images = []
        for place, url in (("bucket", bench.bucket_url), ("directory", directory), ("server", "http://" + server.address)):
            layout, _ = bench.make_image("%s-%d" % (place, n))
            images.append(("%s/%s/n%d:1.0" % (bench.registry, place, n), url))
            bench.call("skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false", "oci:%s:1.0" % layout,
                       "docker://" + images[-1][0])
            bench.env["MANIFESTO_TRUST_SERVER"] = url
            bench.fill(images[-1][0], url, n)

        def put(image, url):
            bench.env["MANIFESTO_TRUST_SERVER"] = url
            return [bench.program, "put", image, "more-%d" % bench.fresh(), str(bench.content)]

        near = bench.turns(*[lambda at=at: put(*at) for at in images])
        store.round_trip = server.round_trip = ROUND_TRIP
        far, far_server = bench.turns(lambda: put(*images[0]), lambda: put(*images[2]))
        store.reset()
        bench.call(*put(*images[0]))
        store.round_trip, server.round_trip, chain = 0, 0, in_sequence(store.exchanges)
        most = BUCKET_GOAL * near[1].wall
        met = chain <= BUCKET_TRIPS + 1 and near[0].wall <= most and far.wall <= most + 1000 * ROUND_TRIP * chain
        print(BUCKET_HEAD % ("", format(n, ","), *("%.0f" % cost.wall for cost in near), "%.0f" % far.wall, chain,
                             "%.0f" % far_server.wall, "goal %.0f, %.0f, %d: %s" % (
                                 most, most + 1000 * ROUND_TRIP * chain, BUCKET_TRIPS + 1, "met" if met else "NOT MET")), flush=True)


def embedded(bench, n):
    layout, _ = bench.make_image("layout-%d" % n)
    image = "oci:%s:1.0" % layout
    bench.fill(image, "", n)
    costs = bench.turns(lambda: [bench.program, "put", image, "more-%d" % bench.fresh(), str(bench.content)],
                        lambda: [bench.program, "list", image], lambda: [bench.program, "get", image, TYPE])
    for name, cost in zip(("put", "list", "get"), costs):
        print("%-30s %7s | %9.1f %8.1f %7.1f |" % (name, format(n, ","), cost.wall, cost.cpu, cost.memory))


def bundles(bench):
    """One file with the records of many images, made from the servers and verified without them."""
    repo = Repository(bench, BUNDLE_IMAGES + 1, bench.registry, bench.notary_url, images=BUNDLE_IMAGES + 1)
    images = [repo.gun + "@" + digest for digest in (bench.top / "subjects").read_text().split()]
    made = bench.top / "bundle.tar"
    create = [bench.program, "bundle", "create", "-q", "-o", str(made), *images]
    verify = [bench.program, "verify", "-q", "--bundle", str(made), "--require", "bench"]
    bench.sample(create)
    costs = bench.turns(lambda: create, lambda: verify + images, lambda: verify + ["--content"] + images, lambda: verify + images[:1])
    print("\n%-30s %7s | %9s %8s %7s | %.1f KiB\n%s" % ("bundle of %d images" % len(images), "images", "ms", "CPU ms", "MiB",
                                                      made.stat().st_size / 1024, "-" * 68))
    for name, n, cost in zip(("create", "verify", "verify --content", "verify"), (len(images), len(images), len(images), 1), costs):
        goal = "; goal %d ms: %s" % (BUNDLE_GOAL, "met" if cost.wall <= BUNDLE_GOAL else "NOT MET") if name == "verify" and n > 1 else ""
        print("%-30s %7s | %9.1f %8.1f %7.1f | least %.1f%s" % (name, n, cost.wall, cost.cpu, cost.memory, cost.least, goal))


def release(bench):
    """Records of many images in one run, with the servers ROUND_TRIP away."""
    registry, notary = Proxy(bench.registry, 0), Proxy(bench.notary_url[len("http://"):], 0)
    repo = Repository(bench, RELEASE_IMAGES + 1, registry.address, "http://" + notary.address, images=RELEASE_IMAGES + 1)
    listed = ["--images", str(bench.top / "release")]
    (bench.top / "release").write_text("".join("%s:more-%d\n" % (repo.gun, i) for i in range(RELEASE_IMAGES)))
    bench.call(bench.program, "key", "generate", "--no-passphrase", "second")
    # More than one key may sign these.
    bench.call(bench.program, "role", "add", repo.image, "release", "--types", "release", "--key", "bench", "--key", "second")
    registry.round_trip = notary.round_trip = ROUND_TRIP
    print("\n%-30s %7s | %9s %9s %9s %9s |\n%s" % ("records of a release, %.0f ms" % (1000 * ROUND_TRIP), "images", "ms", "registry", "trust",
                                                "in flight", "-" * 88))
    for name, argv in (("put", ["put", "--key", "bench", *listed, "release", str(bench.content)]),
                       ("put, nothing to publish", ["put", "--key", "bench", *listed, "release", str(bench.content)]),
                       ("sign", ["sign", "--yes", "--key", "second", *listed, "release"]),
                       ("withdraw", ["withdraw", "--key", "bench", "--reason", "bench", *listed, "release"]),
                       ("rm --reinstate", ["rm", "--key", "bench", "--reinstate", *listed, "release"])):
        registry.reset()
        notary.reset()
        took = bench.sample([bench.program, *argv])[0] / 1000
        goal = "goal %d ms: %s" % (RELEASE_GOAL, "met" if took <= RELEASE_GOAL else "NOT MET") if name == "put" else ""
        print("%-30s %7s | %9.0f %9d %9d %9d | %s" % (name, RELEASE_IMAGES, took, registry.requests, notary.requests,
                                                      in_flight(registry.exchanges), goal), flush=True)


def copies(bench):
    """Records of images that are at the destination already, copied and signed there, beside `oras cp -r` of the same artifacts."""
    oras = bench.peers.get("oras")
    print("\n%-44s | %9s %9s %8s | %s\n%s" % ("copy of %d images with %d records each" % (COPY_IMAGES, COPY_RECORDS), "ms", "least", "CPU ms", "",
                                              "-" * 96))
    if not oras:
        print("not run: oras is not installed, nor in INTEROP_PEERS")
        return
    repo = Repository(bench, COPY_IMAGES, bench.registry, bench.notary_url, images=COPY_IMAGES + 1)
    tags = ["more-%d" % i for i in range(COPY_IMAGES)]
    (bench.top / "copied").write_text("".join("%s:%s\n" % (repo.gun, tag) for tag in tags))
    types = ["rec-%d" % i for i in range(COPY_RECORDS)]
    for record in types:
        bench.call(bench.program, "put", "--images", bench.top / "copied", record, bench.content)

    def destination():
        to = "%s/bench/copy-%d" % (bench.registry, bench.fresh())
        for tag in tags:
            bench.call("skopeo", "copy", "--quiet", "--insecure-policy", "--src-tls-verify=false", "--dest-tls-verify=false",
                       "docker://%s:%s" % (repo.gun, tag), "docker://%s:%s" % (to, tag))
        return to

    def copy():
        to = destination()
        bench.call(bench.program, "trust", "init", "--no-passphrase", to)
        (bench.top / "pairs").write_text("".join("%s:%s %s:%s\n" % (repo.gun, tag, to, tag) for tag in tags))
        return [bench.program, "copy", "--types", ",".join(types), "--from-file", str(bench.top / "pairs")]

    def cp():
        to = destination()
        return ["sh", "-ec", "for tag in %s; do %s cp -r --from-plain-http --to-plain-http '%s:'$tag '%s:'$tag >/dev/null; done" % (
            " ".join(tags), oras, repo.gun, to)]

    ours, theirs = bench.turns(copy, cp, runs=3)
    for name, cost, text in (("manifesto copy, one run for all", ours, verdict(COPY_GOAL, ours.wall / theirs.wall)),
                             ("oras cp -r, one run for each", theirs, "ratio %.2f" % (ours.wall / theirs.wall))):
        print("%-44s | %9.0f %9.0f %8.0f | %s" % (name, cost.wall, cost.least, cost.cpu, text), flush=True)


def agent(bench):
    """A put signed by an ssh-agent beside one with an unlocked key file."""
    directory = pathlib.Path(tempfile.mkdtemp(dir=bench.top))
    path, ssh_key, content = directory / "agent", directory / "key", directory / "content"
    server = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        while not path.exists():
            time.sleep(0.01)
        bench.env["SSH_AUTH_SOCK"] = str(path)
        bench.call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh_key)
        bench.call("ssh-add", "-q", ssh_key)
        fingerprint = bench.call("ssh-keygen", "-l", "-f", ssh_key).split()[1]
        layout, _ = bench.make_image("layout-agent")
        image = "oci:%s:1.0" % layout
        bench.call(bench.program, "put", "--init", "--no-passphrase", "--key", "file", image, TYPE, bench.content)
        bench.call(bench.program, "key", "add", "agent", "ssh-agent:" + fingerprint)
        for key in "file", "agent":
            bench.call(bench.program, "role", "add", image, key, "--key", key, "--types", "of-" + key)

        def put(key):
            content.write_text(str(bench.fresh()), encoding="ascii")
            return [bench.program, "put", "--key", key, "--role", key, image, "of-" + key, str(content)]

        file, held = bench.turns(lambda: put("file"), lambda: put("agent"))
        more = held.wall - file.wall
        for name, cost in ("put, key in a file", file), ("put, key in an ssh-agent", held):
            print("%-30s %7s | %9.1f %8.1f %7.1f |" % (name, "2", cost.wall, cost.cpu, cost.memory))
        print("%-30s %7s | %9.1f %8s %7s | %s" % ("... costs more", "", more, "", "", verdict(AGENT_GOAL, more)))
    finally:
        server.kill()
        server.wait()


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    kernel = ".".join(re.findall(r"\d+", platform.release())[:2])
    return "%s, %d cores, Linux %s, load %.1f" % (model.group(1) if model else platform.machine(), os.cpu_count(), kernel, os.getloadavg()[0])


PARTS = {"growth": growth, "far": compare_round_trips, "bundle": bundles, "s3": buckets, "release": release, "copy": copies}


def main(build, only):
    start = time.monotonic()
    print("%s\nmedians of %d runs of whole processes in turn; time and CPU: manifesto divided by notary\n" % (machine(), RUNS))
    with tempfile.TemporaryDirectory(prefix="manifesto-bench.") as top:
        bench = Bench(build, top)
        try:
            bench.start_lab()
            if only:
                PARTS[only](bench)
                return
            for part in PARTS.values():
                part(bench)
            bench.env.pop("MANIFESTO_TRUST_SERVER", None)
            print("\n%-30s %7s | %9s %8s %7s |\n%s" % ("in an OCI layout", "records", "ms", "CPU ms", "MiB", "-" * 68))
            for n in (1, 1000):
                embedded(bench, n)
            agent(bench)
        finally:
            bench.stop_lab()
    print("\n%.0f s in all" % (time.monotonic() - start))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] and sys.argv[2] not in PARTS:
        raise SystemExit(__doc__)
    main(sys.argv[1], (sys.argv[2:] + [None])[0])
