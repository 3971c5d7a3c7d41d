"""Apache Kafka's own tools, of version 3.9."""

import unittest

from client_tools import KafkaTools39
import kafka_tools_scenarios


class TestKafkaTools39(kafka_tools_scenarios.KafkaToolsTest):
    client_class = KafkaTools39

    def test_they_change_topics_produce_and_share_partitions(self):
        client = self.clients()
        self.check_topics(client)
        self.check_acks_and_codecs(client)
        self.check_group(client)

    def test_each_tool_does_what_it_does_with_apache_kafka(self):
        self.check_each_tool(self.clients())

    def test_they_survive_changes_of_leader_under_load(self):
        self.check_leader_changes(self.clients())


if __name__ == "__main__":
    unittest.main()
