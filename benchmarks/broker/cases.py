"""The cases: each measures one side once, and says what its figures mean."""

import concurrent.futures
import shutil
import time
from dataclasses import dataclass, field

import clients
from processes import eventually
from sides import MINI_BROKER, Side, cpu_percent, make_cluster, resident_mib
from wire import record_batch, Connection

MIB = 1 << 20
# Of a measure: its unit, and whether more is better, less is better, or neither is the goal.
MORE, LESS, SHOWN = "more", "less", "shown"


@dataclass
class Measure:
    unit: str
    better: str


RATE = {"records_s": Measure("records/s", MORE)}
LATENCY = {"p50_ms": Measure("ms p50", SHOWN), "p99_ms": Measure("ms p99", LESS)}


@dataclass
class Load:
    """One topic under load, on clusters that are up. `runs` is how often it is measured."""

    name: str
    title: str
    partitions: int
    size: int
    measures: dict = field(default_factory=dict)

    def topic(self, turn):
        return f"{self.name}-{turn}"

    def run(self, side, turn, choices):
        """One run on a topic of its own, so that none begins with another's log."""
        topic = self.topic(turn)
        clients.create_topic(side.cluster, topic, self.partitions)
        if turn == 0:
            warm_up = 5_000 if choices.quick else 50_000
            clients.perf_test(side.cluster, topic, warm_up, self.size)
        figures = self.load(side.cluster, topic, choices)
        clients.delete_topic(side.cluster, topic)
        return {name: figures[name] for name in self.measures}


@dataclass
class FullSpeed(Load):
    records: int = 500_000

    def load(self, cluster, topic, choices):
        records = self.records // (10 if choices.quick else 1)
        return clients.perf_test(cluster, topic, records, self.size)


@dataclass
class Steady(Load):
    """2000 records a second, each sent at once."""

    seconds: int = 12

    def load(self, cluster, topic, choices):
        records = 2000 * (5 if choices.quick else self.seconds)
        return clients.perf_test(cluster, topic, records, self.size, 2000, linger_ms=0)


@dataclass
class OneInFlight(Load):
    def load(self, cluster, topic, choices):
        warm_up, seconds = (0.5, 1) if choices.quick else (0.5, 2)
        return clients.one_in_flight(
            choices.client, cluster, topic, self.partitions, self.size, warm_up, seconds
        )


class Idle:
    """256 partitions that nobody uses, on a cluster of their own."""

    name = "idle-256"
    title = "256 idle partitions"
    measures = {"cpu": Measure("% of a core, a node", LESS), "rss": Measure("MiB RSS", LESS)}

    def run(self, kind, choices):
        with alone(kind, choices) as cluster:
            clients.create_topic(cluster, "idle", 256)
            cpu_percent(cluster, 2 if choices.quick else 5)  # what creating them left to do
            figures = {"cpu": cpu_percent(cluster, 3 if choices.quick else 10)}
            figures["rss"] = max(resident_mib(node) for node in cluster.nodes)
            return figures


class Gigabyte:
    """1 GiB in one partition: a crash of all nodes, and a follower that lost its disk."""

    name = "gigabyte"
    title = "1 GiB in 1 partition"
    measures = {
        "restart": Measure("s, kill -9 of all to a write", LESS),
        "rss": Measure("MiB RSS after that", LESS),
        "catch_up": Measure("s, empty follower to ISR", LESS),
        "p50_ms": Measure("ms p50 of 2000/s meanwhile", SHOWN),
        "p99_ms": Measure("ms p99 of 2000/s meanwhile", LESS),
    }
    topic = "gigabyte"

    def run(self, kind, choices):
        with alone(kind, choices) as cluster:
            clients.create_topic(cluster, self.topic, 1)
            clients.perf_test(cluster, self.topic, self.size(choices) // 1024, 1024,
                              timeout=600)
            figures = {"restart": self.restart(cluster)}
            clients.await_in_sync(cluster, self.topic, 1)
            figures["rss"] = max(resident_mib(node) for node in cluster.nodes)
            return {**figures, **self.refill(kind, cluster, choices)}

    def size(self, choices):
        return 64 * MIB if choices.quick else 1024 * MIB

    def restart(self, cluster):
        """Seconds from the start of the processes to a write that all in sync have."""
        for node in cluster.nodes:
            node.kill()
        start = time.monotonic()
        with clients.on_core(0):
            for node in cluster.nodes:
                node.start()
        eventually(lambda: self.write(cluster), 300, interval=0.02)
        return time.monotonic() - start

    def write(self, cluster):
        """Whether some node leads and says that a write is replicated."""
        for node in cluster.nodes:
            try:
                with Connection(node.address, timeout=5) as connection:
                    if connection.produce(self.topic, [], batch=record_batch(["x"]))[0] == 0:
                        return True
            except OSError:
                continue
        return False

    def refill(self, kind, cluster, choices):
        """A follower's replica is emptied; a producer goes on while it is filled again."""
        leader = cluster.partition(self.topic, 0)["leader"]
        follower = next(node for node in cluster.nodes if node.id != leader)
        others = [node for node in cluster.nodes if node is not follower]
        follower.kill()
        cluster.await_isr(self.topic, 0, {node.id for node in others}, 60, others)
        empty = follower.folder
        if kind != MINI_BROKER:  # whose metadata it would not get again
            empty = follower.folder / f"{self.topic}-0"
        shutil.rmtree(empty)

        seconds = 5 if choices.quick else 15
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            load = pool.submit(
                clients.perf_test, cluster, self.topic, 2000 * seconds, 100, 2000, 0
            )
            with clients.on_core(0):
                follower.start()
            start = time.monotonic()
            limit = 30 if choices.quick else 120
            eventually(lambda: log_bytes(follower) >= self.size(choices), limit,
                       what="a follower that has everything again")
            cluster.await_isr(self.topic, 0, {1, 2, 3}, limit, [cluster.node(leader)])
            return {"catch_up": time.monotonic() - start, **load.result()}


def log_bytes(node):
    """Of all log files of a node: what it says of itself in the ISR may come before its data."""
    return sum(path.stat().st_size for path in node.folder.rglob("*.log"))


class alone:
    """A cluster of its own, on the first core, for the length of a block."""

    def __init__(self, kind, choices):
        self._side = Side(kind, make_cluster(kind, choices))

    def __enter__(self):
        try:
            self._side.start()
        except BaseException:
            self._side.close()
            raise
        return self._side.cluster

    def __exit__(self, *_):
        self._side.close()


def loads():
    for partitions in (1, 12):
        where = f"{partitions} partition{'s' * (partitions > 1)}"
        for size, what, records in ((100, "100 B", 500_000), (1024, "1 KiB", 150_000)):
            yield FullSpeed(f"speed-{size}-{partitions}", f"{what} at full speed, {where}",
                            partitions, size, RATE, records)
        yield Steady(f"steady-{partitions}", f"100 B at 2000/s, {where}", partitions, 100, LATENCY)
        for size, what in ((100, "100 B"), (1024, "1 KiB")):
            yield OneInFlight(f"single-{size}-{partitions}",
                              f"{what}, one in flight, {where}", partitions, size, LATENCY)


LOADS = list(loads())
WHOLE = [Idle(), Gigabyte()]
