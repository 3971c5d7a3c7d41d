"""What docs/operations.md promises to whoever runs a node: its log, its metrics, a new disk."""

import json
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


def chosen(line, names):
    return {name: line.get(name) for name in names}


class Operations(ClusterTest):
    def test_a_node_with_a_new_disk_gets_back_all_that_was_acknowledged(self):
        cluster = self.cluster()
        cluster.create_topic("test", 1, 3, min_insync_replicas=2)
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

    def test_the_log_says_of_every_isr_change_which_partition_whose_epoch_and_why(self):
        cluster = self.cluster(log_format="json")
        cluster.create_topic("test", 1, 3, min_insync_replicas=2)
        leader, gone, third = cluster.nodes
        self.assertEqual(leader.id, cluster.await_leader("test", 0, among={leader.id}))
        gone.kill()
        cluster.await_isr("test", 0, {leader.id, third.id})
        gone.start()
        cluster.await_isr("test", 0, {1, 2, 3})
        epoch = leader.metric("mini_broker_raft_term", topic="test", partition=0)
        about = {"node": leader.id, "topic": "test", "partition": 0, "leader_epoch": epoch}

        elected = self.lines(leader, "partition test-0: this node leads")
        self.assertEqual({**about, "level": "info", "cause": "elected"}, chosen(elected[-1], [
            *about, "level", "cause"]))
        for event, level, size in (
            ("SHRINK: test-0 removed", "warn", 2), ("EXPAND: test-0 added", "info", 3),
        ):
            start = f"ISR {event} replica {gone.id} "
            found = self.lines(leader, start)
            self.assertEqual(1, len(found), found)
            expected = {**about, "level": level, "replica": gone.id, "cause": "lag",
                        "isr_size": size}
            self.assertEqual(expected, chosen(found[0], expected))
            # As in text, to the letter.
            entries = found[0].get("lag_entries", "unknown")
            self.assertEqual(f"{start}(lag: {entries} entries, {found[0]['lag_ms']} ms)",
                             found[0]["message"])
        lost = self.lines(leader, f"lost node {gone.id} ")
        self.assertEqual([("warn", gone.id)], [(line["level"], line["peer"]) for line in lost])

        gone.kill()
        third.kill()
        quorum = eventually(
            lambda: self.lines(leader, "partition test-0: this node leads no more"), 30,
            what="a line on the lost quorum",
        )
        expected = {**about, "level": "warn", "cause": "quorum lost"}
        self.assertEqual(expected, chosen(quorum[-1], expected))

    def lines(self, node, start):
        """What a node has logged with a message that begins so; every line must be JSON."""
        every = [json.loads(line) for line in node.log().splitlines(keepends=True)
                 if line.endswith("\n")]
        return [line for line in every if line["message"].startswith(start)]

    def test_every_metric_of_a_node_is_in_the_manual_and_none_else(self):
        cluster = self.cluster()
        cluster.create_topic("test", 1, 3)
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
