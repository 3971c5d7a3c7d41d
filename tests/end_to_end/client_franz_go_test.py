"""franz-go, a client in Go."""

import unittest

from client_scenarios import ClientTest
from client_programs import FranzGo


class TestFranzGo(ClientTest):
    client_class = FranzGo

    def test_it_changes_topics_produces_and_shares_partitions(self):
        client = self.clients()
        self.check_topics(client)
        self.check_acks_and_codecs(client)
        self.check_group(client)

    def test_it_survives_changes_of_leader_under_load(self):
        self.check_leader_changes(self.clients())


if __name__ == "__main__":
    unittest.main()
