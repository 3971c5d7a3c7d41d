"""The success criteria of the design documents, one test each."""

import unittest

from processes import eventually
from support import ONCE, REFUSED, ClusterTest

TOPIC = "criteria"


class Criteria(ClusterTest):
    def started(self, **options):
        cluster = self.cluster(**options)
        cluster.create_topic(TOPIC, 1, 3, min_insync_replicas=2)
        return cluster

    def described(self, cluster):
        (partition,) = cluster.describe(TOPIC)
        return set(partition["isr"])

    def test_criterion_1_describe_shows_the_actual_isr(self):
        cluster = self.started()
        self.assertEqual({1, 2, 3}, self.described(cluster))
        for stopped in (1, 2):
            cluster.node(stopped).kill()
            cluster.await_isr(TOPIC, 0, {1, 2, 3} - {stopped})
            self.assertEqual({1, 2, 3} - {stopped}, self.described(cluster))
            cluster.node(stopped).start()
            cluster.await_isr(TOPIC, 0, {1, 2, 3})
        self.assertEqual({1, 2, 3}, self.described(cluster))

    def test_criterion_2_produce_fails_when_the_isr_is_below_min(self):
        cluster = self.started()
        for stopped in (2, 3):
            cluster.node(stopped).kill()
        cluster.await_isr(TOPIC, 0, {1})
        refused = cluster.produce(TOPIC, ["refused"], *ONCE)
        self.assertEqual(1, refused.returncode)
        self.assertIn(REFUSED, refused.stderr)
        by_kafka = cluster.tool(
            "kafka-console-producer", "--topic", TOPIC, "--sync", "--producer-property",
            "linger.ms=0", stdin="refused\n",
        )
        self.assertEqual(1, by_kafka.returncode)
        self.assertIn("NotEnoughReplicasAfterAppendException", by_kafka.stderr)
        self.assertEqual([], cluster.consume(TOPIC, node=cluster.node(1)))

    def test_criterion_2_also_with_a_quorum_where_min_is_3(self):
        cluster = self.started()
        cluster.create_topic("all", 1, 3, min_insync_replicas=3)
        self.assertEqual(0, cluster.produce("all", ["allowed"]).returncode)
        cluster.node(3).kill()
        cluster.await_isr("all", 0, {1, 2})
        refused = cluster.produce("all", ["refused"], *ONCE)
        self.assertEqual(1, refused.returncode)
        self.assertIn(REFUSED, refused.stderr)
        # acks=1 is not subject to it.
        self.assertEqual(0, cluster.produce("all", ["acks=1"], *ONCE, acks="1").returncode)
        eventually(lambda: cluster.consume("all") == ["allowed", "acks=1"], what="both")

    def test_criterion_3_produce_succeeds_when_the_isr_has_min(self):
        cluster = self.started()
        self.assertEqual(0, cluster.produce(TOPIC, ["three"], *ONCE).returncode)
        cluster.node(3).kill()
        cluster.await_isr(TOPIC, 0, {1, 2})
        self.assertEqual(0, cluster.produce(TOPIC, ["two"], *ONCE).returncode)
        by_kafka = cluster.tool(
            "kafka-console-producer", "--topic", TOPIC, "--sync", "--producer-property",
            "linger.ms=0", stdin="two, by Kafka\n",
        )
        self.assertEqual(0, by_kafka.returncode, by_kafka.stderr)
        self.assertEqual(["three", "two", "two, by Kafka"], cluster.consume(TOPIC))

    def test_criterion_4_the_isr_shrinks_when_a_replica_lags(self):
        cluster = self.started()
        cluster.node(3).pause()
        self.assertEqual(0, cluster.produce(TOPIC, range(100)).returncode)
        cluster.await_isr(TOPIC, 0, {1, 2}, nodes=[cluster.node(1), cluster.node(2)])

    def test_criterion_5_the_isr_expands_when_the_replica_has_caught_up(self):
        cluster = self.started()
        cluster.node(3).kill()
        cluster.await_isr(TOPIC, 0, {1, 2})
        written = [str(number) for number in range(2000)]
        self.assertEqual(0, cluster.produce(TOPIC, written).returncode)
        cluster.node(3).start()
        cluster.await_isr(TOPIC, 0, {1, 2, 3})
        # It has what it lacked: with node 1 gone, node 3 serves every record, or gets them served.
        cluster.node(1).kill()
        cluster.await_isr(TOPIC, 0, {2, 3})
        self.assertEqual(written, cluster.consume(TOPIC))

    def test_criterion_6_the_metrics_reflect_the_actual_isr_size(self):
        cluster = self.started()
        labels = {"topic": TOPIC, "partition": "0"}
        for stopped, size in ((None, 3), (3, 2), (2, 1)):
            if stopped:
                cluster.node(stopped).kill()
            cluster.await_isr(TOPIC, 0, set(range(1, size + 1)))
            for node in cluster.running():
                cluster.await_metric(node, "chronik_raft_isr_size", size, **labels)
                self.assertEqual(200, self.status(cluster, node, "/health"))
        page = cluster.node(1).isr_page()
        self.assertIn(TOPIC, str(page))

    def status(self, cluster, node, path):
        shown = cluster.curl(node, path, "--output", "/dev/null", "--write-out", "%{http_code}")
        return int(shown.stdout)

    def test_criterion_7_three_nodes_survive_each_ones_failure(self):
        cluster = self.started()
        written = []

        def write(line):
            # Leadership may change twice meanwhile: to the next node, and back to the first.
            result = cluster.produce(TOPIC, [line], "-X", "enable.idempotence=true")
            self.assertEqual(0, result.returncode, result.stderr)
            written.append(line)

        for stopped in (1, 2, 3):
            write(f"all, before {stopped}")
            cluster.node(stopped).kill()
            write(f"without {stopped}")
            self.assertEqual(written, cluster.consume(TOPIC))
            cluster.node(stopped).start()
            cluster.await_isr(TOPIC, 0, {1, 2, 3})
        self.assertEqual(written, cluster.consume(TOPIC))

    def fetches(self, node):
        return node.metric("mini_broker_request_seconds_count", api="Fetch") or 0

    def test_a_consumer_can_read_from_any_isr_replica(self):
        cluster = self.started(racks=True)
        written = [str(number) for number in range(50)]
        self.assertEqual(0, cluster.produce(TOPIC, written).returncode)
        for node in cluster.nodes:
            before = self.fetches(node)
            self.assertEqual(
                written, cluster.consume(TOPIC, "-X", f"client.rack=rack-{node.id}")
            )
            self.assertGreater(self.fetches(node), before, f"node {node.id} served nothing")


if __name__ == "__main__":
    unittest.main()
