"""Nothing that was acknowledged is lost, doubled or out of order, whoever is killed meanwhile."""

import itertools
import threading
import time
import unittest

import wire
from processes import eventually
from support import ClusterTest, LineProducer, await_offset

KILLS = 4


class Kill(ClusterTest):
    maxDiff = None  # the end of what a client said is what matters

    def started(self, **flags):
        cluster = self.cluster(**flags)
        cluster.create_topic("test", 1, 3, min_insync_replicas=2)
        return cluster

    def kill_leaders(self, cluster, between):
        """kill -9 of the leader, `KILLS` times; `between` runs before each and after the last."""
        for _ in range(KILLS):
            between()
            leader = cluster.await_leader("test", 0)
            cluster.node(leader).kill()
            cluster.await_leader("test", 0)
            cluster.node(leader).start()
            cluster.await_isr("test", 0, {1, 2, 3})
        between()

    def test_each_acknowledged_record_is_read_once_and_in_order_after_leaders_were_killed(self):
        cluster = self.started()
        producer = wire.IdempotentProducer(cluster, "test")
        offsets, stop, failure = [], threading.Event(), []

        def produce():
            try:
                for number in itertools.count():
                    if stop.is_set():
                        return
                    offsets.append(producer.send(f"record {number}"))
            except Exception as error:  # shown by the thread that waits
                failure.append(error)

        thread = threading.Thread(target=produce)
        thread.start()

        def some_more():
            least = len(offsets) + 100
            eventually(lambda: failure or len(offsets) >= least, 60, what="100 acknowledgements")

        try:
            self.kill_leaders(cluster, some_more)
        finally:
            stop.set()
            thread.join()
            producer.close()
        self.assertEqual([], failure)
        self.assertEqual([f"record {n}" for n in range(len(offsets))], cluster.consume("test"))
        self.assertEqual(sorted(set(offsets)), offsets)
        self.say(f"{KILLS} leaders killed, {len(offsets)} records acknowledged, 0 lost, 0 doubled, "
                 f"{producer.retries} retries, the longest took {producer.longest:.1f} s")

    def test_kafkas_own_idempotent_producer_loses_and_doubles_nothing(self):
        cluster = self.started()
        producer = LineProducer(cluster, "test")
        self.addCleanup(producer.finish, 5)
        numbers = itertools.count()

        def some_more():
            producer.send(*itertools.islice(numbers, 500))

        # While one leader is dead there is always something on its way.
        def before_and_after():
            some_more()
            await_offset(cluster, "test", 0, 1)
            some_more()

        self.kill_leaders(cluster, before_and_after)
        self.assertIsNone(producer.finish())
        self.assertEqual(producer.sent, cluster.consume("test"))
        self.say(f"{KILLS} leaders killed, {len(producer.sent)} records acknowledged")

    def test_librdkafkas_idempotent_producer_loses_and_doubles_nothing(self):
        cluster = self.started()
        sent, stop, failures = [], threading.Event(), []

        def produce():
            while not stop.is_set():
                lines = [str(number) for number in range(len(sent), len(sent) + 200)]
                result = cluster.produce(
                    "test", lines, "-X", "enable.idempotence=true", "-X", "linger.ms=1",
                    "-X", "batch.num.messages=20", timeout=60,
                )
                sent.extend(lines)
                if result.returncode != 0 or "Delivery failed" in result.stderr:
                    failures.append(result.stderr)
                    return

        thread = threading.Thread(target=produce)
        thread.start()

        def some_more():
            least = len(sent) + 1
            eventually(lambda: failures or len(sent) >= least, 60, what="a chunk")

        try:
            self.kill_leaders(cluster, some_more)
        finally:
            stop.set()
            thread.join()
        self.assertEqual("", "".join(failures))
        self.assertEqual(sent, cluster.consume("test"))
        self.say(f"{KILLS} leaders killed, {len(sent)} records acknowledged")

    def test_all_nodes_killed_at_once_lose_nothing_acknowledged(self):
        cluster = self.started()
        producer = wire.IdempotentProducer(cluster, "test")
        sent = [f"record {number}" for number in range(300)]
        for record in sent:
            producer.send(record)
        for node in cluster.nodes:
            node.kill()
        for node in cluster.nodes:
            node.start()
        cluster.await_ready()
        # Its next record is not its first, also for a broker that knows it from the log only.
        producer.send("after")
        producer.close()
        cluster.await_isr("test", 0, {1, 2, 3})
        self.assertEqual([*sent, "after"], cluster.consume("test"))

    def test_a_retry_of_what_was_acknowledged_gives_its_offset_again_after_a_restart(self):
        cluster = self.started()
        producer = wire.IdempotentProducer(cluster, "test")
        first = producer.send("once")
        for node in cluster.nodes:
            node.restart()
        cluster.await_ready()
        producer.close()
        producer._sequence = 0  # pylint: disable=protected-access
        self.assertEqual(first, producer.send("once"))
        producer.close()
        self.assertEqual(["once"], cluster.consume("test"))

    def test_a_node_that_comes_back_calls_no_topic_unknown(self):
        # librdkafka gives up what it has for a topic that is gone, also if it comes back.
        cluster = self.cluster()
        for node in cluster.nodes:
            topic = f"new-{node.id}"
            cluster.create_topic(topic)
            node.kill()  # with luck before its disk says that the topic's entry is committed
            node.start()
            # Until it takes connections at all, and faster than it can hear from the others.
            error = eventually(lambda: [wire.produce(node.address, topic, "?", acks=1)[0]],
                               interval=0.005, what="an answer")
            self.assertNotEqual([wire.UNKNOWN_TOPIC_OR_PARTITION], error)

    def test_sigterm_ends_in_under_2_seconds_and_the_writes_go_on(self):
        cluster = self.started()
        producer = LineProducer(cluster, "test")
        self.addCleanup(producer.finish, 5)
        took = []
        for number in range(3):
            producer.send(*(f"{number} before {line}" for line in range(100)))
            leader = cluster.await_leader("test", 0)
            start = time.monotonic()
            self.assertEqual(0, cluster.node(leader).terminate())
            took.append(time.monotonic() - start)
            producer.send(*(f"{number} after {line}" for line in range(100)))
            # Handed over, so that there is a leader long before anyone could have missed the last.
            error, _, seconds = self.produce_by_the_next(cluster)
            self.assertEqual(wire.NONE, error)
            self.assertLess(seconds, 1)
            cluster.await_isr("test", 0, {1, 2, 3} - {leader}, timeout=3)
            cluster.node(leader).start()
            cluster.await_isr("test", 0, {1, 2, 3})
        self.assertIsNone(producer.finish())
        records = [each for each in cluster.consume("test") if each != "by the next"]
        self.assertEqual(producer.sent, records)
        self.assertLess(max(took), 2)
        self.say(f"ended in {', '.join(f'{each:.2f}' for each in took)} s")

    def test_an_acknowledgement_waits_for_every_replica_in_sync(self):
        cluster = self.started(isr_max_lag_ms=4000)
        leader = cluster.node(1)
        cluster.await_metric(
            leader, "chronik_raft_follower_lag_entries", 0, topic="test", follower_id="3"
        )
        cluster.node(3).pause()
        # A majority has it at once; that is enough for acks=1 only.
        self.assertEqual(wire.NONE, wire.produce(leader.address, "test", "one", acks=1)[0])
        error, _, _ = wire.produce(leader.address, "test", "all", timeout=200)
        self.assertEqual(wire.REQUEST_TIMED_OUT, error)
        error, _, seconds = wire.produce(leader.address, "test", "all", timeout=9000)
        self.assertEqual(wire.NONE, error)
        self.assertEqual({1, 2}, cluster.partition("test", 0, leader)["isr"])
        # And what no majority has is acknowledged to nobody.
        cluster.node(2).pause()
        error, _, _ = wire.produce(leader.address, "test", "nobody", timeout=200)
        self.assertNotEqual(wire.NONE, error)
        self.assertNotIn("nobody", cluster.consume("test", node=leader))
        self.say(f"acknowledged when the silent one was out, after {seconds:.1f} s")

    def test_a_follower_that_stops_in_order_makes_no_write_wait(self):
        # It would make them wait so long, were it still in the ISR.
        cluster = self.cluster(isr_max_lag_ms=10_000)
        cluster.create_topic("test", 1, 3, min_insync_replicas=2)
        for stopped in (3, 2):
            cluster.await_isr("test", 0, {1, 2, 3})
            self.assertEqual(1, cluster.await_leader("test", 0))
            self.assertEqual(0, cluster.node(stopped).terminate())
            error, _, seconds = wire.produce(cluster.node(1).address, "test", "no wait")
            self.assertEqual(wire.NONE, error)
            self.assertLess(seconds, 3)
            cluster.await_isr("test", 0, {1, 2, 3} - {stopped}, timeout=5)
            cluster.node(stopped).start()

    def produce_by_the_next(self, cluster):
        leader = cluster.await_leader("test", 0)
        return wire.produce(cluster.node(leader).address, "test", "by the next")


if __name__ == "__main__":
    unittest.main()
