"""Partitions that are made while a node is known to be dead take acks=all writes at once."""

import time
import unittest

import wire
from processes import eventually
from support import ClusterTest

# A dead replica in the first ISR would hold every write up for so long.
LAG_MS = 20_000
# In virtual time it is one second (tests/mini_broker); here the machine may be busy.
SOON = 3


class DeadNode(ClusterTest):
    def write(self, cluster, topic, partition):
        """Writes with acks=all to whoever leads, as soon as anybody does. Returns the seconds."""
        start = time.monotonic()

        def written():
            leader = cluster.partition(topic, partition)["leader"]
            with wire.Connection(cluster.node(leader).address, timeout=60) as connection:
                error, _ = connection.produce(topic, ["value"], partition, timeout=2 * LAG_MS)
            assert error == 0, f"error {error}"
            return True

        eventually(written, 3 * LAG_MS / 1000, what=f"a write to {topic}-{partition}")
        return time.monotonic() - start

    def test_a_topic_made_while_a_node_is_dead_takes_acks_all_at_once(self):
        cluster = self.cluster(isr_max_lag_ms=LAG_MS)
        cluster.node(3).kill()
        for node in cluster.running():
            eventually(lambda log=node.log: "node 3 is dead" in log(), what="the death known")
        made = cluster.tool(
            "kafka-topics", "--create", "--topic", "created", "--partitions", 3,
            "--replication-factor", 3, "--config", "min.insync.replicas=2",
        )
        self.assertEqual(0, made.returncode, made.stdout + made.stderr)
        took = [self.write(cluster, "created", partition) for partition in range(3)]
        # Asked for by name, and so created.
        eventually(lambda: cluster.partition("automatic", 0), what="a topic of its own making")
        took.append(self.write(cluster, "automatic", 0))
        self.assertLess(max(took), SOON)
        cluster.await_isr("created", 0, {1, 2})
        cluster.node(3).start()
        for partition in range(3):
            cluster.await_isr("created", partition, {1, 2, 3})
        self.say(f"the slowest of 4 first writes took {max(took):.1f} s")


if __name__ == "__main__":
    unittest.main()
