"""Two of three nodes are gone, whichever two and however: the third one says so at once, and serves
what was committed; when one is back all goes on (the documents' second integration test)."""

import time
import unittest

import wire
from processes import eventually, holds_for
from support import ONCE, REFUSED, ClusterTest, LineProducer, stop_nodes


class LostQuorum(ClusterTest):
    def lose_and_recover(self, stopped, how):
        cluster = self.cluster()
        cluster.create_topic("test", 1, 3, min_insync_replicas=2)
        committed = [f"before {number}" for number in range(20)]
        self.assertEqual(0, cluster.produce("test", committed).returncode)
        producer = LineProducer(cluster, "test")
        self.addCleanup(producer.finish, 5)
        producer.send("all along, 1")
        committed.append("all along, 1")
        eventually(lambda: cluster.consume("test") == committed, what="what was committed")

        survivor = cluster.node(({1, 2, 3} - set(stopped)).pop())
        stop_nodes(cluster, stopped, how)
        producer.send("all along, 2")
        self.survivor_refuses_and_serves(cluster, survivor, committed)

        returned = cluster.node(stopped[0]).start()
        start = time.monotonic()
        cluster.await_isr("test", 0, {survivor.id, returned.id})
        expanded = time.monotonic() - start
        self.assertEqual(0, cluster.produce("test", ["after"]).returncode)
        producer.send("all along, 3")
        self.assertIsNone(producer.finish())
        records = cluster.consume("test")
        self.assertEqual(committed, records[:len(committed)])
        self.assertEqual(["after"], [each for each in records if each == "after"])
        self.assertEqual(
            [f"all along, {number}" for number in (1, 2, 3)],
            [each for each in records if each.startswith("all along")],
        )
        self.say(f"ISR {survivor.id},{returned.id} {expanded:.1f} s after the return")

    def survivor_refuses_and_serves(self, cluster, survivor, committed):
        start = time.monotonic()
        cluster.await_isr("test", 0, {survivor.id})
        alone = time.monotonic() - start

        def refuses():
            error, offset, seconds = wire.produce(survivor.address, "test", "refused")
            assert error == wire.NOT_ENOUGH_REPLICAS_AFTER_APPEND, error
            self.assertEqual(-1, offset)
            return [seconds]

        took = eventually(refuses, what="a refusal")
        took += [refuses()[0] for _ in range(20)]
        took.sort()
        # The median: the machine may stop for a moment whenever it likes.
        self.assertLess(took[len(took) // 2], 0.05)
        by_kcat = cluster.produce("test", ["refused"], *ONCE)
        self.assertEqual(1, by_kcat.returncode)
        self.assertIn(REFUSED, by_kcat.stderr)
        self.assertEqual(committed, cluster.consume("test", node=survivor))
        # It stays so.
        holds_for(lambda: cluster.partition("test", 0, survivor)["isr"] == {survivor.id}, 0.5)
        self.say(f"alone after {alone:.1f} s, refuses in {took[len(took) // 2] * 1000:.2f} ms")

    def test_nodes_1_and_2_by_sigterm(self):
        self.lose_and_recover((1, 2), "SIGTERM")

    def test_nodes_1_and_3_by_sigterm(self):
        self.lose_and_recover((1, 3), "SIGTERM")

    def test_nodes_2_and_3_by_sigterm(self):
        self.lose_and_recover((2, 3), "SIGTERM")

    def test_nodes_1_and_2_by_sigkill(self):
        self.lose_and_recover((1, 2), "SIGKILL")

    def test_nodes_1_and_3_by_sigkill(self):
        self.lose_and_recover((1, 3), "SIGKILL")

    def test_nodes_2_and_3_by_sigkill(self):
        self.lose_and_recover((2, 3), "SIGKILL")

    def test_with_exact_errors_it_is_19_before_the_append(self):
        cluster = self.cluster(min_isr_error="exact")
        cluster.create_topic("test", 1, 3, min_insync_replicas=2)
        stop_nodes(cluster, (1, 2), "SIGKILL")
        cluster.await_isr("test", 0, {3})
        error, offset, _ = wire.produce(cluster.node(3).address, "test", "refused")
        self.assertEqual((wire.NOT_ENOUGH_REPLICAS, -1), (error, offset))


if __name__ == "__main__":
    unittest.main()
