"""The integration tests of the design documents, with their own commands, limits and ports.

What the documents wait for with a sleep of 10 seconds is asked for until it is so, for at most that
long, one sweep (1 s) and what the tools themselves take.
"""

import re
import socket
import time
import unittest

from cluster import Cluster
from node import ROOT, program
from processes import eventually, run
from support import ClusterTest, await_offset

WAIT = 10 + 1 + 4
ISR_SIZE = "chronik_raft_isr_size{"
KAFKA, RAFT, HTTP = (9092, 9093, 9094), (9192, 9193, 9194), (9090, 9091, 9095)


class DocumentedCluster(Cluster):
    """Three nodes, each started with nothing but its number and a directory."""

    def __init__(self):
        super().__init__(nodes=3)
        for node, *ports in zip(self.nodes, KAFKA, RAFT, HTTP):
            node.kafka_port, node.raft_port, node.http_port = ports
            node.command = lambda node=node: [
                program(), "--node-id", node.id, "--data", node.folder
            ]


def port_in_use():
    for port in KAFKA + RAFT + HTTP:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                return port
    return None


class Acceptance(ClusterTest):
    def setUp(self):
        super().setUp()
        taken = port_in_use()
        if taken:
            self.skipTest(f"port {taken}, one of the documents' own, is in use")
        self.started = DocumentedCluster()
        self.clusters.append(self.started)
        self.addCleanup(self.started.close)
        self.started.start()
        # Step by step as in the documents.
        created = self.tool(
            "kafka-topics", "--create", "--topic", "test", "--partitions", "1",
            "--replication-factor", "3", "--config", "min.insync.replicas=2",
        )
        self.assertEqual("Created topic test.", created.stdout.strip(), created.stderr)
        self.started.await_settled("test")

    def tool(self, name, *arguments, **options):
        return self.started.tool(name, *arguments, **options)

    def isr(self):
        text = self.tool("kafka-topics", "--describe", "--topic", "test").stdout
        found = re.findall(r"\tPartition: 0\t.*\tIsr: ([0-9,]*)", text)
        self.assertEqual(1, len(found), text)
        return {int(number) for number in found[0].split(",") if number}

    def await_isr(self, expected):
        """Asks kafka-topics until it is so, and returns how long that took."""
        start = time.monotonic()

        def is_so():
            isr = self.isr()
            assert isr == expected, isr
            return True

        eventually(is_so, WAIT, what=f"Isr {sorted(expected)}")
        return time.monotonic() - start

    def curl_size(self):
        """curl localhost:9090/metrics | grep chronik_raft_isr, without the counters"""
        page = run(["curl", "--silent", "--fail", "localhost:9090/metrics"])
        self.assertEqual(0, page.returncode, page.stderr)
        return [line for line in page.stdout.splitlines() if line.startswith(ISR_SIZE)]

    def test_1_the_isr_shrinks_when_a_node_stops_and_expands_when_it_is_back(self):
        self.assertEqual({1, 2, 3}, self.isr())
        self.assertEqual(0, self.started.node(3).terminate())
        shrunk = self.await_isr({1, 2})
        self.assertLess(shrunk, 8, "a node that stops in order leaves at once, not at the limit")
        self.started.node(3).start()
        expanded = self.await_isr({1, 2, 3})
        self.say(f"Isr 1,2 after {shrunk:.1f} s, 1,2,3 after {expanded:.1f} s")

    def test_1_the_isr_shrinks_at_the_limit_when_a_node_is_killed(self):
        killed = time.monotonic()
        self.started.node(3).kill()
        self.started.await_isr("test", 0, {1, 2}, timeout=WAIT)
        took = time.monotonic() - killed
        self.assertEqual({1, 2}, self.isr())
        self.assertGreater(took, 9)
        self.assertRegex(
            self.started.node(1).log(),
            r"ISR SHRINK: test-0 removed replica 3 \(lag: 0 entries, 1[01]\d{3} ms\)",
        )
        self.say(f"Isr 1,2 after {took:.1f} s")

    def test_2_produce_is_refused_with_two_nodes_stopped(self):
        for node_id in (2, 3):
            self.assertEqual(0, self.started.node(node_id).terminate())
        took = self.await_isr({1})
        refused = self.tool("kafka-console-producer", "--topic", "test", stdin="test\n")
        self.assertIn("Error: NOT_ENOUGH_REPLICAS_AFTER_APPEND", refused.stderr)
        self.assertIn("ErrorLoggingCallback - Error when sending message", refused.stderr)
        self.assertIn("NotEnoughReplicasAfterAppendException", refused.stderr)
        self.assertEqual([], self.started.consume("test", node=self.started.node(1)))
        self.say(f"Isr 1 after {took:.1f} s")

    def write(self, topic, count):
        """So many records with acks=all, one entry each; returns the seconds it took."""
        start = time.monotonic()
        # One entry is one batch, so these are as many entries as records.
        run(
            [ROOT / "scripts/kafka-tools", "kafka-producer-perf-test", "--topic", topic,
             "--num-records", count, "--record-size", "20", "--throughput", "-1",
             "--producer-props", f"bootstrap.servers={self.started.bootstrap}", "acks=all",
             "batch.size=1", "linger.ms=0"],
            timeout=120,
        )
        await_offset(self.started, topic, 0, count)
        return time.monotonic() - start

    def test_3_the_metrics_show_the_isr_and_the_lag(self):
        metric = 'chronik_raft_isr_size{topic="test",partition="0"}'
        self.assertEqual([f"{metric} 3"], self.curl_size())
        lag_of_3 = {"topic": "test", "partition": "0", "follower_id": "3"}
        self.started.await_metric(
            self.started.node(1), "chronik_raft_follower_lag_entries", 0, **lag_of_3
        )
        self.started.node(3).terminate()
        wrote = self.write("test", 10_500)
        eventually(lambda: self.curl_size() == [f"{metric} 2"], WAIT, what=f"{metric} 2")
        self.started.await_metric(
            self.started.node(1), "chronik_raft_follower_lag_entries", lambda lag: lag > 10_000,
            timeout=WAIT, **lag_of_3,
        )
        lag = self.started.node(1).metric("chronik_raft_follower_lag_entries", **lag_of_3)
        self.say(f"lag {lag:.0f} entries, written in {wrote:.1f} s")

    def test_3_the_lag_is_shown_also_where_the_node_that_stopped_had_led(self):
        created = self.tool(
            "kafka-topics", "--create", "--topic", "led", "--replica-assignment", "3:1:2",
            "--config", "min.insync.replicas=2",
        )
        self.assertEqual("Created topic led.", created.stdout.strip(), created.stderr)
        self.started.await_settled("led")
        self.assertEqual(3, self.started.await_leader("led", 0, among=[3]))
        self.started.node(3).kill()  # it confirms nothing to the one that leads after it
        leader = self.started.node(self.started.await_leader("led", 0, among=[1, 2]))
        wrote = self.write("led", 10_500)
        lag_of_3 = {"topic": "led", "partition": "0", "follower_id": "3"}
        self.started.await_metric(
            leader, "chronik_raft_follower_lag_entries", lambda lag: lag > 10_000,
            timeout=WAIT, **lag_of_3,
        )
        self.started.await_metric(leader, "chronik_raft_follower_unconfirmed", 1, **lag_of_3)
        self.started.await_isr("led", 0, {1, 2}, timeout=WAIT)
        lag = leader.metric("chronik_raft_follower_lag_entries", **lag_of_3)
        self.say(f"lag at least {lag:.0f} entries, written in {wrote:.1f} s")


if __name__ == "__main__":
    unittest.main()
