"""What people type: kcat and Kafka's own tools, against any node."""

import re
import unittest

from processes import eventually, run
from node import ROOT
from support import ClusterTest


class Clients(ClusterTest):
    def tool(self, cluster, name, *arguments, **options):
        """The output of a tool that must succeed."""
        result = cluster.tool(name, *arguments, **options)
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        return result.stdout

    def tool_at(self, node, name, *arguments):
        """The same by one node alone."""
        result = run(
            [ROOT / "scripts/kafka-tools", name, "--bootstrap-server", node.address, *arguments],
            timeout=90,
        )
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        return result.stdout

    def test_kcat_produces_and_consumes_what_is_compressed_and_has_keys_and_headers(self):
        cluster = self.cluster()
        cluster.create_topic("test", 3, 3)
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            lines = [f"{codec}:{number} {'text ' * 20}" for number in range(50)]
            result = cluster.produce(
                "test", lines, "-p", "0", "-K:", "-H", f"codec={codec}", "-z", codec
            )
            self.assertEqual(0, result.returncode, result.stderr)
        read = cluster.consume("test", "-f", "%p %h %k %s\\n", partition=0)
        self.assertEqual(250, len(read))
        self.assertTrue(read[0].startswith("0 codec=none none 0 text"), read[0])
        self.assertTrue(read[249].startswith("0 codec=zstd zstd 49 text"), read[249])
        self.assertEqual([], cluster.consume("test", partition=1))

    def test_topics_are_created_altered_and_deleted_on_any_node(self):
        cluster = self.cluster()
        for node in cluster.nodes:
            topic = f"by-node-{node.id}"
            self.tool_at(
                node, "kafka-topics", "--create", "--topic", topic, "--partitions", "2",
                "--replication-factor", "3",
            )
            for other in cluster.nodes:
                eventually(lambda at=other: cluster.partition(topic, 1, at), what=topic)
            self.tool_at(node, "kafka-topics", "--alter", "--topic", topic, "--partitions", "4")
            for other in cluster.nodes:
                eventually(lambda at=other: cluster.partition(topic, 3, at), what=f"4 of {topic}")
        self.assertEqual(0, cluster.produce("by-node-1", ["to the new one"], "-p", "3").returncode)
        self.assertEqual(["to the new one"], cluster.consume("by-node-1", partition=3))
        for node in cluster.nodes:
            self.tool_at(node, "kafka-topics", "--delete", "--topic", f"by-node-{node.id}")

        def none_left():
            return all(cluster.metadata(node=node)["topics"] == [] for node in cluster.nodes)

        eventually(none_left, what="no topics")

        def nothing_shown():
            return not any("by-node-1" in name for name in cluster.node(1).metrics())

        eventually(nothing_shown, what="no metrics of what was deleted")
        # Of the name, nothing is left behind.
        cluster.create_topic("by-node-1", 1, 3)
        self.assertEqual([], cluster.consume("by-node-1"))

    def test_min_insync_replicas_is_altered_while_in_use(self):
        cluster = self.cluster()
        cluster.create_topic("test", 1, 3)
        entity = ["--entity-type", "topics", "--entity-name", "test"]
        cluster.node(3).kill()
        cluster.await_isr("test", 0, {1, 2})
        self.assertEqual(0, cluster.produce("test", ["two are enough"]).returncode)
        said = self.tool(
            cluster, "kafka-configs", "--alter", *entity, "--add-config", "min.insync.replicas=3"
        )
        self.assertIn("Completed updating config for topic test.", said)
        said = self.tool(cluster, "kafka-configs", "--describe", *entity)
        self.assertIn("min.insync.replicas=3", said)
        refused = eventually(
            lambda: (lambda got: got.returncode and got)(
                cluster.produce("test", ["no longer"], "-X", "retries=0")
            ),
            what="a refusal",
        )
        self.assertIn("insufficient number of in-sync replicas", refused.stderr)
        self.tool(
            cluster, "kafka-configs", "--alter", *entity, "--delete-config", "min.insync.replicas"
        )
        eventually(
            lambda: cluster.produce("test", ["again"], "-X", "retries=0").returncode == 0,
            what="writes again",
        )

    def test_a_groups_offsets_survive_its_coordinators_end(self):
        cluster = self.cluster()
        cluster.create_topic("test", 1, 3)
        self.assertEqual(0, cluster.produce("test", range(10)).returncode)

        def read(count):
            """As a member of the group: as many records, from where the group is."""
            result = cluster.kcat(
                # -E: or it ends when the first node that it tries is down.
                "-G", "readers", "-q", "-E", "-c", count, "-X", "auto.offset.reset=earliest",
                "test", timeout=60,
            )
            self.assertEqual(0, result.returncode, result.stderr)
            return result.stdout.split()

        self.assertEqual([str(number) for number in range(4)], read(4))
        said = self.tool(cluster, "kafka-consumer-groups", "--describe", "--group", "readers")
        self.assertRegex(said, r"readers\s+test\s+0\s+4\s+10\s+6\s")
        said = self.tool(
            cluster, "kafka-consumer-groups", "--describe", "--group", "readers", "--state"
        )
        coordinator = int(re.search(r"127\.0\.0\.1:\d+\s+\((\d+)\)", said).group(1))
        cluster.node(coordinator).kill()
        cluster.await_isr("test", 0, {1, 2, 3} - {coordinator})
        self.assertEqual([str(number) for number in range(4, 7)], read(3))
        cluster.node(coordinator).start()
        cluster.await_isr("test", 0, {1, 2, 3})
        for node in cluster.nodes:
            node.restart()
        cluster.await_ready()
        self.assertEqual([str(number) for number in range(7, 10)], read(3))


if __name__ == "__main__":
    unittest.main()
