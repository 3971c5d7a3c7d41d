"""kcat, on the librdkafka of Debian."""

import unittest

from client_scenarios import ClientTest
from client_tools import Kcat


class TestKcat(ClientTest):
    client_class = Kcat

    def test_it_produces_and_shares_partitions(self):
        client = self.clients()
        self.check_acks_and_codecs(client)
        self.check_group(client)

    def test_it_survives_changes_of_leader_under_load(self):
        self.check_leader_changes(self.clients())


if __name__ == "__main__":
    unittest.main()
