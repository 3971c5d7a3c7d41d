"""Three nodes of Apache Kafka, from the class path of scripts/kafka-tools, to compare with.

Brokers and controllers in one process each (KRaft), everything in a temporary directory and on
ports that were free, as the clusters of the end-to-end tests.
"""

import subprocess
import tempfile
from pathlib import Path

from cluster import Cluster
from node import ROOT, Node, free_ports
from processes import run, spawn

HEAP = "512m"
# What Kafka's own start script sets.
JVM = ["-server", f"-Xmx{HEAP}", f"-Xms{HEAP}", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
       "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"]
# A node that was stopped by SIGSTOP, with all the others, must not be taken for a dead one.
PATIENT = {
    "broker.session.timeout.ms": 900_000, "replica.lag.time.max.ms": 900_000,
    "controller.quorum.fetch.timeout.ms": 900_000, "controller.quorum.request.timeout.ms": 900_000,
    "replica.socket.timeout.ms": 900_000, "request.timeout.ms": 900_000,
}


def class_path():
    """The jars of scripts/kafka-tools, which fetches them by Maven if they are missing."""
    found = run([ROOT / "scripts/kafka-tools"], timeout=300)
    assert found.returncode == 0, found.stderr
    return Path(found.stdout.split()[-1]).read_text().strip()


def java(jvm, class_name, *arguments):
    """A command line."""
    return ["java", *jvm, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", class_path(),
            class_name, *[str(each) for each in arguments]]


class KafkaNode(Node):
    """`Node`'s Raft port is the controller's; there is no page by HTTP."""

    @property
    def properties_path(self):
        return self.cluster.folder / f"node-{self.id}.properties"

    def write_properties(self, settings):
        voters = ",".join(f"{each.id}@127.0.0.1:{each.raft_port}" for each in self.cluster.nodes)
        lines = {
            "process.roles": "broker,controller", "node.id": self.id,
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{self.raft_port}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.folder, "default.replication.factor": 3, "min.insync.replicas": 2,
            "offsets.topic.replication.factor": 3, "offsets.topic.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0, "auto.create.topics.enable": "false",
            **settings,
        }
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        self.properties_path.write_text(text)

    def command(self):
        return java(JVM, "kafka.Kafka", self.properties_path)

    def start(self):
        assert not self.running, f"node {self.id} runs already"
        with self.log_path.open("ab") as log:
            self.process = spawn(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.cluster.folder,
            )
        return self

    def health(self):
        return self.running


class KafkaCluster(Cluster):
    """`settings` are properties of the brokers, as {"flush.messages": 1}."""

    def __init__(self, settings=None):
        self.folder = Path(tempfile.mkdtemp(prefix="kafka-"))
        ports = free_ports(6)
        self.nodes = [KafkaNode(self, i + 1, (*ports[2 * i:2 * i + 2], 0)) for i in range(3)]
        self._settings = dict(settings or {})
        self._start = True

    def start(self):
        storage = "kafka.tools.StorageTool"
        small = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        cluster_id = run(java(small, storage, "random-uuid")).stdout.split()[-1]
        for node in self.nodes:
            node.write_properties(self._settings)
            made = run(java(small, storage, "format", "-t", cluster_id, "-c",
                            node.properties_path))
            assert made.returncode == 0, made.stdout + made.stderr
        super().start()

    def await_ready(self, timeout=120):
        super().await_ready(timeout)
