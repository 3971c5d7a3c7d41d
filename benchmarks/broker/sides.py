"""What is compared: a cluster of one kind, that can be held still while the other works."""

import os
import time
from dataclasses import dataclass

from clients import on_core
from cluster import Cluster
from kafka_cluster import PATIENT, KafkaCluster
from processes import eventually

MINI_BROKER, KAFKA = "mini-broker", "Kafka"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Choices:
    """What the whole run was told."""

    with_kafka: bool
    quick: bool
    kafka_fsync: bool
    runs: int
    client: str  # the program that sends one request at a time

    def kinds(self):
        return [MINI_BROKER] + [KAFKA] * self.with_kafka


def make_cluster(kind, choices, patient=False):
    """Not started. `patient` is for a cluster that is going to be held still for minutes."""
    if kind == MINI_BROKER:
        return Cluster(3)
    settings = dict(PATIENT) if patient else {}
    if choices.kafka_fsync:
        settings["log.flush.interval.messages"] = 1
    return KafkaCluster(settings)


class Side:
    """One cluster, on the first core. Whoever uses it must have called `resume`."""

    def __init__(self, kind, cluster):
        self.kind = kind
        self.cluster = cluster
        self._paused = False

    def start(self):
        with on_core(0):
            self.cluster.start()

    def pause(self):
        for node in self.cluster.running():
            node.pause()
        self._paused = True

    def resume(self):
        """Back when clients are served again: after a pause the mini-broker's groups elect anew."""
        if not self._paused:
            return
        for node in self.cluster.running():
            node.resume()
        self._paused = False
        with on_core(1):
            self.cluster.await_ready()

    def close(self):
        self.cluster.close()


def cpu_seconds(node):
    """User and system time of a node's process so far."""
    with open(f"/proc/{node.process.pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mib(node):
    with open(f"/proc/{node.process.pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise AssertionError(f"node {node.id} shows no memory")


def cpu_percent(cluster, seconds):
    """Of one core, of the node that uses the most, over so many seconds."""
    before = [cpu_seconds(node) for node in cluster.nodes]
    start = time.monotonic()
    eventually(lambda: time.monotonic() >= start + seconds, seconds + 5)
    span = time.monotonic() - start
    return max(
        100 * (cpu_seconds(node) - was) / span
        for node, was in zip(cluster.nodes, before, strict=True)
    )
