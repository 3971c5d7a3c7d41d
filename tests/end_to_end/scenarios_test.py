"""The four scenarios of the design documents, on live nodes, with shorter limits."""

import re
import time
import unittest

import wire
from processes import eventually, holds_for
from support import MAX_LAG_MS, ONCE, REFUSED, ClusterTest, await_offset

SIZE, LAG_ENTRIES, LAG_MS = (
    "chronik_raft_isr_size", "chronik_raft_follower_lag_entries", "chronik_raft_follower_lag_ms"
)
OF_TOPIC = {"topic": "my-topic", "partition": "0"}
OF_3 = {**OF_TOPIC, "follower_id": "3"}


class Scenarios(ClusterTest):
    def started(self, **flags):
        cluster = self.cluster(**flags)
        cluster.create_topic("my-topic", 1, 3, min_insync_replicas=2)
        self.leader = cluster.node(cluster.await_leader("my-topic", 0))
        self.assertEqual(1, self.leader.id, "the first partition is led by the first node")
        cluster.await_metric(self.leader, LAG_ENTRIES, 0, **OF_3)
        return cluster

    def logged(self, pattern):
        """The numbers of the newest line of the leader's log that fits."""

        def newest():
            return re.findall(pattern, self.leader.log())

        found = eventually(newest, what=pattern)[-1]
        return [int(number) for number in found]

    def write(self, cluster, first, count):
        """One entry a record."""
        lines = range(first, first + count)
        result = cluster.produce("my-topic", lines, "-X", "batch.num.messages=1")
        self.assertEqual(0, result.returncode, result.stderr)
        await_offset(cluster, "my-topic", 0, first + count)

    def test_shrink_when_a_replica_is_cut_off(self):
        cluster = self.started()
        self.assertEqual(3, self.leader.metric(SIZE, **OF_TOPIC))
        cluster.node(3).pause()
        cut_off = time.monotonic()
        others = [cluster.node(1), cluster.node(2)]
        cluster.await_isr("my-topic", 0, {1, 2}, nodes=others)
        took = time.monotonic() - cut_off
        self.assertGreater(took, MAX_LAG_MS / 1000 - 0.5)
        entries, age = self.logged(
            r"ISR SHRINK: my-topic-0 removed replica 3 \(lag: (\d+) entries, (\d+) ms\)"
        )
        self.assertEqual(0, entries)
        self.assertGreater(age, MAX_LAG_MS)
        self.write(cluster, 0, 500)
        for node in others:
            cluster.await_metric(node, SIZE, 2, **OF_TOPIC)
        cluster.await_metric(self.leader, LAG_ENTRIES, 500, **OF_3)
        cluster.await_metric(self.leader, LAG_MS, lambda ms: ms > MAX_LAG_MS, **OF_3)
        cluster.node(3).resume()
        cluster.await_isr("my-topic", 0, {1, 2, 3})
        self.say(f"out after {took:.1f} s, logged as {age} ms")

    def test_shrink_by_entries_while_they_are_being_written(self):
        cluster = self.started(isr_max_lag_entries=200, isr_max_lag_ms=20000)
        cluster.node(3).pause()
        # acks=all would wait for node 3, which is in the ISR until it lacks too much.
        lines = range(400)
        result = cluster.produce("my-topic", lines, "-X", "batch.num.messages=1", acks="1")
        self.assertEqual(0, result.returncode, result.stderr)
        entries, age = self.logged(
            r"ISR SHRINK: my-topic-0 removed replica 3 \(lag: (\d+) entries, (\d+) ms\)"
        )
        self.assertGreater(entries, 200)
        self.assertLess(age, 20000)
        cluster.node(3).resume()
        cluster.await_isr("my-topic", 0, {1, 2, 3})

    def test_expand_when_a_replica_has_caught_up(self):
        cluster = self.started()
        cluster.node(3).kill()
        cluster.await_isr("my-topic", 0, {1, 2})
        self.write(cluster, 0, 1000)
        cluster.await_metric(self.leader, LAG_ENTRIES, 1000, **OF_3)
        self.assertEqual(2, self.leader.metric(SIZE, **OF_TOPIC))
        cluster.node(3).start()
        cluster.await_isr("my-topic", 0, {1, 2, 3})
        entries, age = self.logged(
            r"ISR EXPAND: my-topic-0 added replica 3 \(lag: (\d+) entries, (\d+) ms\)"
        )
        self.assertLessEqual(entries, 10_000)
        self.assertLessEqual(age, MAX_LAG_MS)
        for node in cluster.nodes:
            cluster.await_metric(node, SIZE, 3, **OF_TOPIC)
        cluster.await_metric(self.leader, LAG_ENTRIES, 0, **OF_3)
        cluster.await_metric(self.leader, LAG_MS, lambda ms: ms < MAX_LAG_MS, **OF_3)
        self.say(f"in at {entries} entries, {age} ms")

    def test_below_min_a_produce_is_refused(self):
        cluster = self.started()
        cluster.node(2).pause()
        rest = [cluster.node(1), cluster.node(3)]
        cluster.await_isr("my-topic", 0, {1, 3}, nodes=rest)
        self.assertEqual(0, cluster.produce("my-topic", ["two are enough"], *ONCE).returncode)
        cluster.node(3).pause()
        cluster.await_isr("my-topic", 0, {1}, nodes=rest[:1])
        refused = cluster.produce("my-topic", ["one is not"], *ONCE)
        self.assertEqual(1, refused.returncode)
        self.assertIn(REFUSED, refused.stderr)
        cluster.await_metric(self.leader, SIZE, 1, **OF_TOPIC)

    def test_expand_allows_produce_again(self):
        cluster = self.started()
        for node_id in (2, 3):
            cluster.node(node_id).kill()
        cluster.await_isr("my-topic", 0, {1})
        survivor = cluster.node(1)

        def refused():
            return wire.produce(survivor.address, "my-topic", "refused")[0] != wire.NONE

        holds_for(refused, 0.5)
        cluster.node(2).start()
        cluster.await_isr("my-topic", 0, {1, 2})
        allowed = cluster.produce("my-topic", ["allowed"])
        self.assertEqual(0, allowed.returncode, allowed.stderr)
        self.assertEqual(["allowed"], cluster.consume("my-topic"))


if __name__ == "__main__":
    unittest.main()
