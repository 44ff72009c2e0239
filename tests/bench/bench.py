#!/usr/bin/env python3
"""Speed of manifesto and of the notary program, on the same servers in the same run.

Usage: bench.py BUILD_DIRECTORY [far|bundle|s3|release|copy]      (`make bench` runs it; `far` measures the servers at 40 ms only, `bundle` bundles, `s3` buckets, `release` many images,
`copy` promotions)

Starts its own registry, Notary server and object store and makes repositories with 1, 1,000 and 10,000 records. Each figure is the median of
BENCH_RUNS (7) runs of whole processes; the two programs take turns, so that other load affects both. A ratio is manifesto's time
divided by notary's: below 1 manifesto is faster. BENCH_BIG=1 adds 50,000 records. A goal that is not met is reported, never an error.
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
SIZES = [1, 1000, 10000] + ([50000] if os.environ.get("BENCH_BIG") == "1" else [])
ROUND_TRIP = 0.020
FAR_TRIP = 0.040
FAR_IMAGES = 1000
TYPE = "note"
# Goals, as ratios to the notary program.
GOALS = {("cold get", 1): 1.2, ("cold get", 1000): 0.55, ("cold get", 10000): 0.12, ("cold get", 50000): 0.06,
         ("cold get, memory", 50000): 0.2, ("warm get", 50000): 0.03, ("list", 50000): 0.1, ("put", 50000): 0.35,
         ("cold get, 20 ms", 1): 0.35, ("warm get, 20 ms", 1): 0.55}
CHECK_GOAL = 0.01
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
    """A TCP proxy on 127.0.0.1 that counts, and delays each direction by half a round trip.

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
        self.connections = self.requests = self.received = 0
        self.exchanges = []

    async def serve(self, reader, writer):
        self.connections += 1
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
        for _ in self.REQUEST.findall(data):
            self.requests += 1
            asked.append([max(self.loop.time(), held)] * 2)
            self.exchanges.append(asked[-1])

    def count_down(self, data, asked):
        self.received += len(data)
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
                    "TMPDIR": str(self.top), "MANIFESTO_HOME": str(self.top / "home"), "MANIFESTO_KEY": "bench",
                    "XDG_CACHE_HOME": str(self.cache), "NOTARY_ROOT_PASSPHRASE": "", "NOTARY_TARGETS_PASSPHRASE": "",
                    "NOTARY_SNAPSHOT_PASSPHRASE": ""}
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

    def turns(self, *commands, runs=RUNS):
        """Costs of several commands that take turns. Each is a function that prepares a run and returns its argv."""
        samples = [[] for _ in commands]
        for _ in range(runs):
            for command, found in zip(commands, samples):
                found.append(self.sample(command()))
        return [Cost(found) for found in samples]

    def hundred(self, once, each):
        """Cost of a command for 100 images, the median of ten runs, and of 100 runs of one for each image, by tens."""
        samples = [(self.sample(once), self.sample(each, 10)) for _ in range(10)]
        theirs = [s[1] for s in samples]
        return Cost([s[0] for s in samples]), Cost([(sum(s[0] for s in theirs), sum(s[1] for s in theirs), max(s[2] for s in theirs))])

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
    if goal is None:
        return "no goal"
    return "goal %.2f: %s" % (goal, "met" if ratio <= goal else "NOT MET")


HEAD = "%-30s %7s | %9s %8s %7s | %9s %8s %7s | %6s %6s | %s"


def head():
    line = HEAD % ("", "records", "manifesto", "CPU ms", "MiB", "notary ms", "CPU ms", "MiB", "time", "CPU", "")
    print(line, "-" * 128, sep="\n")


def row(name, n, ours, theirs, goal):
    ratio = ours.wall / theirs.wall
    print(HEAD % (name, format(n, ","), "%.1f" % ours.wall, "%.1f" % ours.cpu, "%.1f" % ours.memory, "%.1f" % theirs.wall,
                  "%.1f" % theirs.cpu, "%.1f" % theirs.memory, "%.2f" % ratio, "%.2f" % (ours.cpu / theirs.cpu),
                  verdict(goal, ratio)), flush=True)


def compare(bench, repo):
    n = repo.n
    ours, digest, theirs = bench.turns(lambda: repo.get(cold=True), lambda: repo.get(cold=True, by_digest=True),
                                       lambda: repo.lookup(cold=True))
    row("cold get", n, ours, theirs, GOALS.get(("cold get", n)))
    row("cold get IMAGE@DIGEST", n, digest, theirs, GOALS.get(("cold get", n)))
    goal, ratio = GOALS.get(("cold get, memory", n)), ours.memory / theirs.memory
    print("%-30s %7s | %25.1f   | %25.1f   | %6.2f %6s | %s" % ("cold get, peak MiB", format(n, ","), ours.memory, theirs.memory,
                                                             ratio, "", verdict(goal, ratio)))
    bench.sample(repo.get())
    ours, digest, listed, theirs, their_list = bench.turns(repo.get, lambda: repo.get(by_digest=True), repo.list, repo.lookup,
                                                           lambda: repo.notary("list", repo.gun))
    row("warm get", n, ours, theirs, GOALS.get(("warm get", n)))
    row("warm get IMAGE@DIGEST", n, digest, theirs, GOALS.get(("warm get", n)))
    row("list", n, listed, their_list, GOALS.get(("list", n)))
    ours, theirs = bench.hundred(repo.verify_hundred(), repo.lookup())
    row("verify of 100 images", n, ours, theirs, CHECK_GOAL)


def compare_put(bench, repo):
    # The first one after `fill` lists what that published in the registry's catalogue, and notary fetches it.
    bench.sample(repo.put())
    bench.sample(repo.add())
    ours, theirs = bench.turns(repo.put, repo.add)
    row("put of one more", repo.n, ours, theirs, GOALS.get(("put", repo.n)))


def compare_far(bench):
    """Both servers 20 ms away; also the connections, which a program hides best."""
    registry, notary = Proxy(bench.registry, 0), Proxy(bench.notary_url[len("http://"):], 0)
    repo = Repository(bench, 1, registry.address, "http://" + notary.address)
    registry.round_trip = notary.round_trip = ROUND_TRIP
    for name, cold in (("cold get, 20 ms", True), ("warm get, 20 ms", False)):
        bench.sample(repo.get())
        ours, digest, theirs = bench.turns(lambda: repo.get(cold), lambda: repo.get(cold, by_digest=True), lambda: repo.lookup(cold))
        row(name, 1, ours, theirs, GOALS[(name, 1)])
        row(name + ", @DIGEST", 1, digest, theirs, GOALS[(name, 1)])


FAR_HEAD = "%-28s | %8s %8s %8s %8s %8s | %8s %8s %8s | %s"


def far_row(bench, name, proxies, ours, theirs):
    """One command of each program with the servers FAR_TRIP away: time, requests, round trips one after another."""
    cells = []
    for cost, argv in zip(bench.turns(ours, theirs), (ours(), theirs())):
        for proxy in proxies:
            proxy.reset()
        bench.call(*argv)
        exchanges = proxies[0].exchanges + proxies[1].exchanges
        cells.append((cost.wall, proxies[0].requests, proxies[1].requests, in_sequence(exchanges), in_flight(exchanges)))
    (time_ms, registry, trust, chain, flight), (their_ms, _, their_trust, their_chain, _) = cells
    goal_ms, goal_requests = FAR_GOALS.get(name, (None, None))
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
    for n in SIZES[:3]:
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


def count_wire(bench, repo):
    """Connections, requests and bytes at the trust server through a counting proxy; those at the registry from -v."""
    proxy = Proxy(repo.url[len("http://"):], 0)
    direct, url = repo.url, "http://" + proxy.address
    repo.url = bench.env["MANIFESTO_TRUST_SERVER"] = url
    bench.call(*repo.get())
    bench.call(*repo.lookup())
    for name, ours, theirs in (("cold get / lookup", lambda: repo.get(True), lambda: repo.lookup(True)),
                               ("warm get / lookup", repo.get, repo.lookup), ("list", repo.list, lambda: repo.notary("list", repo.gun)),
                               ("put / add and publish", repo.put, repo.add)):
        cells = []
        for argv in (ours() + ["-v"], theirs()):
            proxy.reset()
            bench.call(*argv)
            cells.append("%2d on %d, %10s" % (proxy.requests, proxy.connections, format(proxy.received, ",")))
            if len(cells) == 1:
                lines = re.findall(r"^manifesto: [A-Z]+ http://%s/\S* \d+, (\d+) bytes" % re.escape(bench.registry), bench.stderr, re.M)
        print("%-30s %7s | %-24s | %-24s | %2d, %7s" % (name, format(repo.n, ","), cells[0], cells[1], len(lines),
                                                       format(sum(map(int, lines)), ",")), flush=True)
    repo.url = bench.env["MANIFESTO_TRUST_SERVER"] = direct


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
    oras = shutil.which("oras", path=os.pathsep.join(filter(None, (os.environ.get("INTEROP_PEERS"), os.environ["PATH"]))))
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
    return "%s, %d cores, Linux %s, load %.1f" % (model.group(1) if model else platform.machine(), os.cpu_count(), platform.release(),
                                                  os.getloadavg()[0])


def main(build, only):
    start = time.monotonic()
    print("%s\nmedians of %d runs of whole processes in turn; time and CPU: manifesto divided by notary\n" % (machine(), RUNS))
    with tempfile.TemporaryDirectory(prefix="manifesto-bench.") as top:
        bench = Bench(build, top)
        try:
            bench.start_lab()
            if only:
                {"far": compare_round_trips, "bundle": bundles, "s3": buckets, "release": release, "copy": copies}[only](bench)
                return
            repos = [Repository(bench, n, bench.registry, bench.notary_url) for n in SIZES]
            head()
            for repo in repos:
                compare(bench, repo)
                compare_put(bench, repo)
            compare_far(bench)
            compare_round_trips(bench)
            bundles(bench)
            buckets(bench)
            release(bench)
            copies(bench)
            bench.env["MANIFESTO_TRUST_SERVER"] = bench.notary_url
            print("\n`get` also resolves the tag and, cold, reads the content at the registry: `lookup` and IMAGE@DIGEST do not ask for the tag."
                  "\n`verify` is one process for 100 images by digest, `lookup` 100 processes.\n")
            print("%-30s %7s | %-24s | %-24s | %s" % ("trust server: requests on", "", "manifesto", "notary", "registry: requests,"))
            print("%-30s %7s | %-24s | %-24s | %s" % ("connections, bytes received", "records", "", "", "bytes of bodies (manifesto)"))
            print("-" * 112)
            for repo in repos:
                count_wire(bench, repo)
            del bench.env["MANIFESTO_TRUST_SERVER"]
            print("\n%-30s %7s | %9s %8s %7s |\n%s" % ("in an OCI layout", "records", "ms", "CPU ms", "MiB", "-" * 68))
            for n in (1, 1000):
                embedded(bench, n)
            agent(bench)
        finally:
            bench.stop_lab()
    print("\n%.0f s in all" % (time.monotonic() - start))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["far"], ["bundle"], ["s3"], ["release"], ["copy"]):
        raise SystemExit(__doc__)
    main(sys.argv[1], (sys.argv[2:] + [None])[0])
