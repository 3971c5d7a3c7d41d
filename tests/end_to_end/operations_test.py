"""What docs/operations.md promises to whoever runs a node: its metrics, a new disk."""

import re
import shutil
import threading
import time
import unittest

import wire
from node import ROOT
from processes import eventually
from support import ClusterTest

MANUAL = ROOT / "docs" / "operations.md"


class Operations(ClusterTest):
    def test_a_node_with_a_new_disk_gets_back_all_that_was_acknowledged(self):
        cluster = self.cluster()
        cluster.create_topic("test", 1, 3, min_insync_replicas=2)
        cluster.await_isr("test", 0, {1, 2, 3})
        replaced = cluster.node(1)
        self.assertEqual(1, cluster.await_leader("test", 0))
        producer = wire.IdempotentProducer(cluster, "test")
        sent, stop, failures = [], threading.Event(), []

        def produce():
            try:
                while not stop.is_set():
                    producer.send(f"record {len(sent)}")
                    sent.append(f"record {len(sent)}")
            except Exception as error:  # pylint: disable=broad-exception-caught
                failures.append(error)

        def some_more(count):
            least = len(sent) + count
            eventually(lambda: failures or len(sent) >= least, 60, what="more records")

        thread = threading.Thread(target=produce)
        thread.start()
        try:
            some_more(100)
            replaced.kill()
            cluster.await_isr("test", 0, {2, 3})
            some_more(100)
            shutil.rmtree(replaced.folder)
            start = time.monotonic()
            replaced.start()
            cluster.await_isr("test", 0, {1, 2, 3})
            whole = time.monotonic() - start
            some_more(100)
        finally:
            stop.set()
            thread.join()
            producer.close()
        self.assertEqual([], failures)
        # It is the first replica, so it leads again: what is read is on its own disk.
        cluster.await_leader("test", 0, among={1}, timeout=60)
        self.assertEqual(sent, cluster.consume("test"))
        self.say(f"in sync {whole:.1f} s after its start, {len(sent)} records")

    def test_every_metric_of_a_node_is_in_the_manual_and_none_else(self):
        cluster = self.cluster()
        cluster.create_topic("test", 1, 3)
        cluster.await_isr("test", 0, {1, 2, 3})
        described = set(re.findall(r"^\| `((?:chronik_raft|mini_broker)_\w+)`", MANUAL.read_text(),
                                   re.M))

        def differing():
            shown = set()
            for node in cluster.nodes:
                shown |= set(re.findall(r"^# TYPE (\S+) ", node.get("/metrics"), re.M))
            return shown ^ described

        # Those of a partition come with the first round of chores after its creation.
        eventually(lambda: not differing() or self.fail(differing()), what="the same metrics")


if __name__ == "__main__":
    unittest.main()
