"""One mini_broker process: what it is started with, its signals, its pages and its log."""

import json
import os
import random
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from processes import kill_group, spawn

ROOT = Path(__file__).resolve().parent.parent.parent
# Below those that the kernel gives to outgoing connections, so that no client can take one while
# its node is down. INSYNC_PORTS, "FIRST-LAST", keeps tests that run at the same time apart.
_FIRST, _LAST = os.environ.get("INSYNC_PORTS", "20000-31999").split("-")
PORTS = range(int(_FIRST), int(_LAST) + 1)
CHRONIK = "CHRONIK_"


def program():
    """The mini_broker to test."""
    told = os.environ.get("MINI_BROKER")
    if told:
        return Path(told)
    built = sorted(
        ROOT.glob("build/*/examples/mini_broker/mini_broker"), key=lambda path: path.stat().st_mtime
    )
    if not built:
        raise FileNotFoundError("no mini_broker was built; MINI_BROKER may name one")
    return built[-1]


def free_ports(count):
    """As many ports on which nobody listens."""
    held = []
    try:
        while len(held) < count:
            candidate = socket.socket()
            held.append(candidate)
            try:
                candidate.bind(("127.0.0.1", random.choice(PORTS)))
            except OSError:
                held.pop().close()
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


class Node:
    """One broker: what it is started with, and its process while there is one."""

    def __init__(self, cluster, node_id, ports):
        self.cluster = cluster
        self.id = node_id
        self.kafka_port, self.raft_port, self.http_port = ports
        self.folder = cluster.folder / f"node-{node_id}"
        self.log_path = cluster.folder / f"node-{node_id}.log"
        self.extra_flags = []
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.kafka_port}"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def command(self):
        return [
            program(), "--node-id", self.id, "--listen", self.address,
            "--raft", f"127.0.0.1:{self.raft_port}", "--peers", self.cluster.peers,
            "--metrics", f"127.0.0.1:{self.http_port}", "--data", self.folder,
            *self.cluster.flags, *self.extra_flags,
        ]

    def start(self):
        """Starts the process; it is ready when `Cluster.await_ready` or `health` says so."""
        assert not self.running, f"node {self.id} runs already"
        # What this shell has set is not what the test is about.
        env = {name: text for name, text in os.environ.items() if not name.startswith(CHRONIK)}
        with self.log_path.open("ab") as log:
            self.process = spawn(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.cluster.folder, env={**env, **self.cluster.env},
            )
        return self

    def signal(self, number):
        assert self.running, f"node {self.id} does not run"
        self.process.send_signal(number)

    def wait(self, timeout=30):
        """Waits for the end of the process and returns its exit status."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"node {self.id} did not end in {timeout} s\n{self.log_tail()}"
            ) from None
        kill_group(self.process)
        return status

    def kill(self):
        """kill -9."""
        if self.process is not None:
            kill_group(self.process)

    def terminate(self, timeout=30):
        """SIGTERM, a controlled shutdown; returns the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def restart(self):
        self.kill()
        return self.start()

    def get(self, path, timeout=5):
        """The body of a page, whatever its status. OSError if there is no answer."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()

    def health(self):
        """Whether /health answers 200."""
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def isr_page(self):
        return json.loads(self.get("/api/isr"))

    def metrics(self):
        """Every sample of /metrics: {'name{label="value"}': value}."""
        samples = {}
        for line in self.get("/metrics").splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    def metric(self, name, **labels):
        """The value of the one sample of this name that has these labels; None if none has."""
        found = [
            value
            for sample, value in self.metrics().items()
            if sample.split("{")[0] == name
            and all(f'{label}="{text}"' in sample for label, text in labels.items())
        ]
        assert len(found) <= 1, f"{name} with {labels} is not unique on node {self.id}"
        return found[0] if found else None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines=30):
        tail = "\n".join(self.log().splitlines()[-lines:])
        return f"--- log of node {self.id}:\n{tail}\n"
