"""What each of Kafka's own tools must do, in whatever version."""

import re

from client_scenarios import EVERYBODY, ClientTest
from processes import eventually
from support import stop_nodes

FILTERS = ("under-replicated", "under-min-isr", "at-min-isr", "unavailable")


class KafkaToolsTest(ClientTest):
    """A test of the tools of one version."""

    def check_cluster(self, client):
        """kafka-broker-api-versions"""
        said = client.tool("kafka-broker-api-versions")
        for node in client.cluster.nodes:
            self.assertIn(f"{node.address} (id: {node.id} rack: null", said)
        self.assertEqual(3, said.count("Produce(0): 0 to "))
        self.assertEqual(3, said.count("DescribeTopicPartitions(75): 0 [usable: 0]"))

    def check_configs(self, client):
        """kafka-configs, and what kafka-topics says of it"""
        self.create(client, "configs", 1)
        entity = ["--entity-type", "topics", "--entity-name", "configs"]

        def described():
            said = client.tool("kafka-configs", "--describe", *entity)
            return dict(re.findall(r"^  (\S+)=(\S*) sensitive=false", said, re.M))

        self.assertEqual({"min.insync.replicas": "2"}, described())
        for change, expected in (
            (["--add-config", "min.insync.replicas=3,retention.ms=60000"],
             {"min.insync.replicas": "3", "retention.ms": "60000"}),
            (["--delete-config", "min.insync.replicas"], {"retention.ms": "60000"}),
        ):
            said = client.tool("kafka-configs", "--alter", *entity, *change)
            self.assertEqual("Completed updating config for topic configs.\n", said)
            eventually(lambda wanted=expected: described() == wanted, what=str(expected))
        self.assertIn("configs\n", client.tool("kafka-topics", "--list"))

    def check_consumers(self, client):
        """kafka-console-consumer in and out of a group, kafka-consumer-groups, kafka-get-offsets"""
        self.create(client, "lines", 1)
        lines = [f"line {number}" for number in range(20)]
        self.produce(client, "lines", lines)
        reader = ["kafka-console-consumer", "--topic", "lines", "--timeout-ms", 30_000]
        alone = client.tool(
            *reader, "--partition", 0, "--offset", "earliest", "--max-messages", 20
        )
        self.assertEqual(lines, alone.splitlines())
        for part in (lines[:15], lines[15:]):
            grouped = client.tool(
                *reader, "--from-beginning", "--group", "g", "--max-messages", len(part)
            )
            self.assertEqual(part, grouped.splitlines())
            said = client.tool("kafka-consumer-groups", "--describe", "--group", "g")
            at = lines.index(part[-1]) + 1
            self.assertRegex(said, rf"g\s+lines\s+0\s+{at}\s+20\s+{20 - at}\s")
        member = self.join(client, "h", "lines")
        row = r"^h\s+console-consumer-\S+\s+/127\.0\.0\.1\s+console-consumer\s+1\s"
        eventually(lambda: re.search(row, client.members("h"), re.M), what=row)
        member.leave()
        listed = client.tool("kafka-consumer-groups", "--list")
        self.assertEqual(["g", "h"], sorted(listed.splitlines()))
        self.assertEqual("lines:0:20\n", client.tool("kafka-get-offsets", "--topic", "lines"))

    def check_performance_test(self, client):
        """kafka-producer-perf-test"""
        self.create(client, "perf", 3)
        said = client.tool_without_servers(
            "kafka-producer-perf-test", "--topic", "perf", "--num-records", 20_000,
            "--record-size", 100, "--throughput", -1, "--producer-props",
            f"bootstrap.servers={client.cluster.bootstrap}", "acks=all",
        )
        last = said.splitlines()[-1]
        self.assertTrue(last.startswith("20000 records sent, "), last)
        self.assertEqual(20_000, sum(client.offsets("perf").values()))
        self.say(last.split(", ")[1].replace("000000 ", " "))

    def check_filters(self, client):
        """The four filters of kafka-topics, while nodes end."""
        cluster = client.cluster
        everything = {f"f{least}" for least in (1, 2, 3)}
        for topic in everything:
            self.create(client, topic, 1, int(topic[1]))

        def listed(what):
            said = client.tool("kafka-topics", "--describe", f"--{what}-partitions")
            return everything & set(re.findall(r"Topic: (\S+)\tPartition", said))

        self.assertEqual([set(), set(), {"f3"}, set()], list(map(listed, FILTERS)))
        stop_nodes(cluster, [3], "SIGTERM")
        for topic in everything:
            cluster.await_isr(topic, 0, EVERYBODY - {3})
        self.assertEqual([everything, {"f3"}, {"f2"}, set()], list(map(listed, FILTERS)))
        stop_nodes(cluster, [2], "SIGKILL")
        for topic in everything:
            cluster.await_isr(topic, 0, {1})
        self.assertEqual([everything, {"f2", "f3"}, {"f1"}, set()], list(map(listed, FILTERS)))

    def check_each_tool(self, client):
        self.check_cluster(client)
        self.check_configs(client)
        self.check_consumers(client)
        self.check_performance_test(client)
        self.check_filters(client)
