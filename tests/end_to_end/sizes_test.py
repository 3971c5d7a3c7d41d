"""Clusters of one node and of five, and leaders that are not dead but silent."""

import threading
import unittest

import wire
from processes import eventually
from support import ONCE, REFUSED, ClusterTest, stop_nodes


class Sizes(ClusterTest):
    def test_one_node_alone_serves_and_keeps_what_it_was_given(self):
        cluster = self.cluster(nodes=1)
        cluster.create_topic("test", 2, 1)
        # The default of two replicas in sync means as many as there are.
        self.assertEqual(0, cluster.produce("test", ["kept"], "-p", "1").returncode)
        cluster.node(1).restart()
        cluster.await_ready()
        eventually(lambda: cluster.consume("test") == ["kept"], what="the record")
        self.assertEqual(0, cluster.produce("test", ["again"], "-p", "1").returncode)
        self.assertEqual(0, cluster.node(1).terminate())

    def test_five_nodes_go_on_without_two(self):
        cluster = self.cluster(nodes=5)
        cluster.create_topic("test", 3, 5, min_insync_replicas=3)
        stop_nodes(cluster, (1, 2), "SIGKILL")
        for partition in range(3):
            cluster.await_isr("test", partition, {3, 4, 5})
            result = cluster.produce("test", [f"to {partition}"], "-p", partition)
            self.assertEqual(0, result.returncode, result.stderr)
        stop_nodes(cluster, (3,), "SIGTERM")
        eventually(
            lambda: REFUSED in cluster.produce("test", ["refused"], "-p", "0", *ONCE).stderr,
            what="a refusal",
        )
        for node_id in (1, 2, 3):
            cluster.node(node_id).start()
        for partition in range(3):
            cluster.await_isr("test", partition, {1, 2, 3, 4, 5})
        self.assertEqual({"to 0", "to 1", "to 2"}, set(cluster.consume("test")))


class Silence(ClusterTest):
    def test_a_leader_that_wakes_up_finds_another_and_loses_nothing(self):
        cluster = self.cluster()
        cluster.create_topic("test", 1, 3, min_insync_replicas=2)
        producer = wire.IdempotentProducer(cluster, "test")
        sent = []

        def send(count):
            for _ in range(count):
                sent.append(f"record {len(sent)}")
                producer.send(sent[-1])

        for _ in range(3):
            send(50)
            leader = cluster.node(cluster.await_leader("test", 0))
            others = [node for node in cluster.nodes if node is not leader]
            # Asleep with a request on its way.
            asleep = threading.Timer(0.05, leader.pause)
            asleep.start()
            send(50)
            asleep.join()
            cluster.await_isr("test", 0, {node.id for node in others}, nodes=others)
            send(50)
            leader.resume()
            # It still thinks that it leads: what it acknowledges now must not be lost.
            late = f"late {len(sent)}"
            try:
                if wire.produce(leader.address, "test", late)[0] == wire.NONE:
                    sent.append(late)
            except OSError:
                pass
            cluster.await_isr("test", 0, {1, 2, 3})
        producer.close()

        def all_there():
            # What was refused late may have been written all the same.
            return [
                each for each in cluster.consume("test") if each in sent or "late" not in each
            ] == sent

        eventually(all_there, what="what was acknowledged, in order")


if __name__ == "__main__":
    unittest.main()
