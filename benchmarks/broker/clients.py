"""The clients that load a cluster, each the same for every kind of broker."""

import json
import os
import re
import struct
from contextlib import contextmanager

import wire
from kafka_cluster import java
from processes import eventually, run

PRODUCER_JVM = ["-Xmx256m", "-XX:+UseSerialGC"]
SUMMARY = re.compile(
    r"(\d+) records sent, ([\d.]+) records/sec.* ([\d.]+) ms max latency, (\d+) ms 50th, "
    r"(\d+) ms 95th, (\d+) ms 99th"
)
CREATE_TOPICS, DELETE_TOPICS = 19, 20
NOT_CONTROLLER = 41


@contextmanager
def on_core(core):
    """What is started within runs on that core only, children and threads too. With one core there
    is nothing to choose."""
    before = os.sched_getaffinity(0)
    if len(before) > 1:
        os.sched_setaffinity(0, {sorted(before)[core]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def perf_test(cluster, topic, records, size, throughput=-1, linger_ms=5, timeout=300):
    """kafka-producer-perf-test: {"records_s": .., "p50_ms": .., "p99_ms": ..}.

    AssertionError if a record was not acknowledged."""
    properties = [
        f"bootstrap.servers={cluster.bootstrap}", "acks=all", "enable.idempotence=true",
        f"linger.ms={linger_ms}", "batch.size=65536",
    ]
    with on_core(1):
        done = run(
            java(PRODUCER_JVM, "org.apache.kafka.tools.ProducerPerformance", "--topic", topic,
                 "--num-records", records, "--record-size", size, "--throughput", throughput,
                 "--producer-props", *properties),
            timeout=timeout,
        )
    found = SUMMARY.findall(done.stdout)
    assert found and int(found[-1][0]) == records, done.stdout + done.stderr
    _, rate, longest, p50, _, p99 = found[-1]
    return {"records_s": float(rate), "p50_ms": float(p50), "p99_ms": float(p99),
            "max_ms": float(longest)}


def produce_frame(topic, partition, size):
    """A Produce request of one record, with its length; no producer id, so it may be repeated."""
    batch = wire.record_batch(["x" * size])
    body = (
        struct.pack(">hhi", wire.PRODUCE, 7, 1) + wire.string("bench")
        + struct.pack(">hhii", -1, -1, 10_000, 1) + wire.string(topic)
        + struct.pack(">iii", 1, partition, len(batch)) + batch
    )
    return struct.pack(">i", len(body)) + body


def one_in_flight(program, cluster, topic, partitions, size, warm_up, seconds):
    """One request at a time, to one partition after the other: as one_in_flight.cpp prints it."""
    words = []
    for number in range(partitions):
        leader = cluster.partition(topic, number)["leader"]
        path = cluster.folder / f"frame-{number}"
        path.write_bytes(produce_frame(topic, number, size))
        words += [cluster.node(leader).address, path]
    # Correlation id, topics, name, partitions, index.
    error_at = 4 + 4 + len(wire.string(topic)) + 4 + 4
    with on_core(1):
        done = run([program, warm_up, seconds, error_at, *words], timeout=warm_up + seconds + 30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _ask_controller(cluster, api, version, body):
    """The error code of an answer about one topic; of the first node that is the controller."""
    error = NOT_CONTROLLER
    for node in cluster.running():
        with wire.Connection(node.address, timeout=30) as connection:
            answer = connection.ask(api, version, body)
        name_length = struct.unpack(">h", answer[8:10])[0]
        error = struct.unpack(">h", answer[10 + name_length:12 + name_length])[0]
        if error != NOT_CONTROLLER:
            break
    return error


def create_topic(cluster, topic, partitions):
    """With three replicas of which two must be in sync; back when all of them are, everywhere."""
    body = (
        struct.pack(">i", 1) + wire.string(topic) + struct.pack(">ihi", partitions, 3, 0)
        + struct.pack(">i", 1) + wire.string("min.insync.replicas") + wire.string("2")
        + struct.pack(">ib", 30_000, 0)
    )
    error = _ask_controller(cluster, CREATE_TOPICS, 2, body)
    assert error == wire.NONE, f"{topic} was not created: error {error}"
    await_in_sync(cluster, topic, partitions)


def await_in_sync(cluster, topic, partitions, timeout=120):
    """Until every node names, for each partition, one leader and three replicas in sync."""

    def in_sync():
        leaders = []
        for node in cluster.running():
            (found,) = cluster.metadata(topic, node)["topics"]
            each = sorted(found["partitions"], key=lambda its: its["partition"])
            assert len(each) == partitions, f"{len(each)} partitions"
            leaders.append([its["leader"] for its in each])
            assert all(leader > 0 for leader in leaders[-1]), leaders[-1]
            assert all(len(its["isrs"]) == 3 for its in each), "an ISR that is not whole"
        assert all(its == leaders[0] for its in leaders), leaders
        return True

    eventually(in_sync, timeout, what=f"{topic} in sync")


def delete_topic(cluster, topic):
    body = struct.pack(">i", 1) + wire.string(topic) + struct.pack(">i", 30_000)
    error = _ask_controller(cluster, DELETE_TOPICS, 1, body)
    assert error == wire.NONE, f"{topic} was not deleted: error {error}"
