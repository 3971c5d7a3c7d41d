"""What the tests share: limits so short that a test takes seconds, and a few steps."""

import subprocess
import threading
import unittest

from cluster import Cluster
from node import ROOT
from processes import eventually, kill_group, spawn

# A busy machine must not look like a node that is gone: everything is 3 times a few heartbeats.
MAX_LAG_MS = 1500
SHORT_LIMITS = {
    "--isr-max-lag-ms": MAX_LAG_MS, "--isr-check-interval-ms": 250, "--quorum-contact-ms": 1000,
    "--heartbeat-ms": 100, "--election-timeout-ms": 500,
}
# kcat gives up at the first refusal, and says why.
ONCE = ["-X", "retries=0", "-X", "message.timeout.ms=10000"]
REFUSED = "Message(s) written to insufficient number of in-sync replicas"


class ClusterTest(unittest.TestCase):
    """A test with clusters of its own, which are gone when it ends. A failure shows their logs."""

    def setUp(self):
        self.clusters = []  # tests/end_to_end/run shows their logs
        self.figures = []

    def cluster(self, nodes=3, racks=False, **flags):
        """Ready to use. With racks, node 1 is in "rack-1", and so on; isr_max_lag_ms=100 is
        --isr-max-lag-ms 100, and so on."""
        chosen = {f"--{name.replace('_', '-')}": value for name, value in flags.items()}
        flags = {**SHORT_LIMITS, **chosen}
        made = Cluster(nodes, [part for flag in flags.items() for part in flag])
        self.clusters.append(made)
        self.addCleanup(made.close)
        if racks:
            for node in made.nodes:
                node.extra_flags = ["--rack", f"rack-{node.id}"]
        made.start()
        return made

    def say(self, text):
        """A figure to show beside the test's name."""
        self.figures.append(text)


def stop_nodes(cluster, ids, how):
    """Stops nodes at once: by "SIGTERM" or "SIGKILL"."""
    if how == "SIGKILL":
        for node_id in ids:
            cluster.node(node_id).kill()
        return
    threads = [threading.Thread(target=cluster.node(each).terminate) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class LineProducer:
    """Kafka's console producer, fed line by line: a client that goes on whatever happens to the
    nodes, for two minutes a record. kcat would not do, it waits until its buffer is full."""

    def __init__(self, cluster, topic):
        properties = ["linger.ms=0", "enable.idempotence=true", "delivery.timeout.ms=120000",
                      "retries=2147483647", "retry.backoff.ms=50", "reconnect.backoff.max.ms=200"]
        self._process = spawn(
            [ROOT / "scripts/kafka-tools", "kafka-console-producer", "--bootstrap-server",
             cluster.bootstrap, "--topic", topic, "--request-required-acks", "all",
             *[part for each in properties for part in ("--producer-property", each)]],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        self.sent = []
        self._errors = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        self._errors.extend(self._process.stderr)

    def send(self, *lines):
        for line in lines:
            self._process.stdin.write(f"{line}\n")
            self.sent.append(str(line))
        self._process.stdin.flush()

    def finish(self, timeout=60):
        """Waits until all is delivered, or given up. What was given up, or else None."""
        status = None
        try:
            if not self._process.stdin.closed:
                self._process.stdin.close()
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            pass
        finally:
            kill_group(self._process)
            self._reader.join()
            self._process.stderr.close()
        said = "".join(self._errors)
        # This tool ends with 0 whatever happened.
        return None if status == 0 and "ErrorLoggingCallback" not in said else f"{status}: {said}"


def await_offset(cluster, topic, partition, least, timeout=30):
    """Until so many records can be read."""

    def enough():
        result = cluster.kcat("-Q", "-t", f"{topic}:{partition}:-1", timeout=10)
        assert result.returncode == 0, result.stderr
        return int(result.stdout.split()[-1]) >= least

    eventually(enough, timeout, interval=0.2, what=f"{least} records in {topic}-{partition}")
