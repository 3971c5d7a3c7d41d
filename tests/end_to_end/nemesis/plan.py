"""What every process of a run must know: where the nodes are, which partitions there are.

Written once by the driver as JSON; a worker is started with its path, and ends by SIGTERM.
"""

import faulthandler
import json
import signal
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

# Topics by the replicas in sync that a write with acks=all needs; `weak` is written with acks=1.
STRONG = {"min1": 1, "min2": 2, "min3": 3}
WEAK = "weak"
PARTITIONS = 3


def strong_partitions():
    return [(topic, number) for topic in STRONG for number in range(PARTITIONS)]


def all_partitions():
    return [*strong_partitions(), (WEAK, 0)]


@dataclass
class Plan:
    """`kafka` and `http` are HOST:PORT by node; `seed` is a string."""

    seed: str
    history: str
    kafka: dict
    http: dict

    @property
    def bootstrap(self):
        return ",".join(self.kafka.values())

    def save(self, path):
        Path(path).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def load(path):
        return Plan(**json.loads(Path(path).read_text(encoding="utf-8")))


def stop_by_sigterm():
    """An event that SIGTERM sets. Ctrl-C is the driver's to handle. SIGUSR1 shows where each thread
    is."""
    faulthandler.register(signal.SIGUSR1)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return stopped
