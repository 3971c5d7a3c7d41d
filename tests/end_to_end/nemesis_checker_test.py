"""The nemesis's checker: each broken promise is found, and nothing is found in good histories."""

import os
import random
import unittest

from nemesis.checker import check
from nemesis.cluster_checks import EPOCHS_MAX, HEALED_WITHIN, SECOND
from nemesis_histories import GoodHistory, acknowledged, final, isr, send, story

GOOD_HISTORIES = 1000


def kinds(history):
    return sorted({violation.kind for violation in check(history)})


class Checker(unittest.TestCase):
    """Each bad history is a good one with one thing wrong."""

    def expect(self, kind, history):
        self.assertEqual([kind], kinds(history))

    def test_nothing_is_found_in_random_good_histories(self):
        seed = int(os.environ.get("INSYNC_SEED", random.randrange(1 << 32)))
        self.figures = [f"seed {seed}", f"{GOOD_HISTORIES} histories"]
        draw = random.Random(seed)
        records = 0
        for number in range(GOOD_HISTORIES):
            history = GoodHistory(draw).entries()
            found = check(history)
            self.assertEqual([], found, f"history {number} of INSYNC_SEED={seed}")
            records += sum(entry["f"] == "send" for entry in history)
        self.assertGreater(records, 10 * GOOD_HISTORIES)

    def test_a_record_that_one_node_lacks_is_lost(self):
        history = story()
        final(history, 2).pop()
        self.assertIn("lost", kinds(history))
        self.assertTrue(set(kinds(history)) <= {"lost", "lost after it was read"})

    def test_a_record_at_another_offset_than_was_said_is_lost(self):
        history = story()
        acknowledged(history, "p:3")["off"] = 90
        self.expect("lost", history)

    def test_a_record_that_was_acknowledged_without_an_offset_and_is_nowhere_is_lost(self):
        history = [*story(), send("p:4", off=None, inv=90, ret=91)]
        self.expect("lost", history)

    def test_a_record_that_was_read_and_not_acknowledged_must_stay_too(self):
        history = story()
        history.append(send("q:1", type="info", idem=False))
        history.append({"f": "read", "proc": "c2", "part": "t-0", "t": 50, "recs": [[9, "q:1"]]})
        self.expect("lost after it was read", history)

    def test_a_value_of_an_idempotent_producer_at_two_offsets_is_doubled(self):
        history = story()
        for node in (1, 2, 3):
            final(history, node).append([9, "p:3"])
        history = [entry for entry in history if entry["f"] != "consumer"]
        self.expect("doubled", history)

    def test_a_number_of_a_producer_at_two_offsets_is_found(self):
        history = story()
        for entry in history:
            if entry["f"] == "final":
                entry["ids"][2] = entry["ids"][1]
        self.expect("numbered twice", history)
        for entry in history:
            if entry["f"] == "final":
                entry["ids"][1:] = ["", ""]
        self.assertEqual([], kinds(history))

    def test_a_value_twice_of_a_producer_that_promises_nothing_is_not_doubled(self):
        history = [*story(), send("q:1", type="info", idem=False)]
        for node in (1, 2, 3):
            final(history, node).extend([[8, "q:1"], [9, "q:1"]])
        history = [entry for entry in history if entry["f"] != "consumer"]
        self.assertEqual([], kinds(history))

    def test_a_place_with_two_values_is_found(self):
        history = [*story(), send("q:1", type="info", idem=False)]
        history.append({"f": "read", "proc": "c2", "part": "t-0", "t": 50, "recs": [[2, "q:1"]]})
        self.assertIn("two values", kinds(history))

    def test_a_refused_value_that_somebody_reads_is_found(self):
        history = [*story(), send("q:1", type="fail", idem=False, err=19)]
        for node in (1, 2, 3):
            final(history, node).append([9, "q:1"])
        history = [entry for entry in history if entry["f"] != "consumer"]
        self.expect("refused but there", history)

    def test_a_value_that_nobody_sent_is_found(self):
        history = story()
        for node in (1, 2, 3):
            final(history, node).append([9, "x:1"])
        history = [entry for entry in history if entry["f"] != "consumer"]
        self.expect("never sent", history)

    def test_a_record_before_another_that_was_acknowledged_before_it_was_sent_is_found(self):
        history = story()
        acknowledged(history, "p:1")["off"], acknowledged(history, "p:2")["off"] = 1, 0
        for entry in history:
            entry["idem"] = False
            if "recs" in entry:
                entry["recs"][:2] = [[0, "p:2"], [1, "p:1"]]
        self.expect("out of real time", history)

    def test_records_of_an_idempotent_producer_in_another_order_are_found(self):
        history = story()
        for value in ("p:1", "p:2", "p:3"):  # all under way at the same time
            acknowledged(history, value)["ret"] = 45
        acknowledged(history, "p:1")["off"], acknowledged(history, "p:2")["off"] = 1, 0
        for entry in history:
            if "recs" in entry:
                entry["recs"][:2] = [[0, "p:2"], [1, "p:1"]]
        self.expect("reordered", history)

    def test_a_consumer_that_goes_back_is_found(self):
        history = story()
        history.append({"f": "read", "proc": "c", "part": "t-0", "t": 60, "recs": [[1, "p:2"]]})
        self.expect("read backwards", history)

    def test_a_consumer_that_leaves_a_record_out_is_found(self):
        history = story()
        (read,) = [entry for entry in history if entry["f"] == "read"]
        del read["recs"][1]
        self.expect("left out", history)

    def test_a_consumer_that_does_not_read_the_first_or_the_last_record_is_found(self):
        for place in (0, -1):
            history = story()
            (read,) = [entry for entry in history if entry["f"] == "read"]
            del read["recs"][place]
            self.expect("left out", history)


class ClusterChecker(unittest.TestCase):
    """What the nodes say of themselves."""

    def expect(self, kind, history):
        self.assertEqual([kind], kinds(history))

    @staticmethod
    def watermark(node, at, offset, epoch=1, led=True):
        return {"f": "hw", "node": node, "inv": at, "ret": at + 1,
                "ends": {"t-0": [offset, epoch, led]}}

    def test_a_high_watermark_that_falls_in_one_process_is_found(self):
        history = [self.watermark(1, 10, 5), self.watermark(1, 20, 4)]
        self.expect("watermark back", history)
        restart = {"f": "start", "node": 1, "t": 15}
        self.assertEqual([], kinds([*history, restart]))

    def test_a_new_leader_that_shows_less_than_the_old_one_did_is_found(self):
        history = [self.watermark(1, 10, 5), self.watermark(2, 20, 4, epoch=2)]
        self.expect("watermark lost", history)
        history[1]["ends"]["t-0"][2] = False  # it stood in for the leader only
        self.assertEqual([], kinds(history))
        at_once = [self.watermark(1, 10, 5), self.watermark(2, 10, 4, epoch=2)]
        self.assertEqual([], kinds(at_once))

    def test_records_beyond_the_last_watermark_are_found(self):
        self.expect("log beyond watermark", [*story(), self.watermark(1, 99, 2)])
        self.assertEqual([], kinds([*story(), self.watermark(1, 99, 3)]))

    def test_two_leaders_of_one_epoch_are_found(self):
        history = [isr(1, 10, leading=True), isr(2, 20, leading=True)]
        self.expect("two leaders", history)
        history[1]["parts"]["t-0"].update(epoch=2, leader=2)
        self.assertEqual([], kinds(history))

    def test_two_contents_of_one_version_are_found(self):
        self.expect("two ISRs", [isr(1, 10, members=[1, 2]), isr(2, 20, members=[1, 3])])
        self.assertEqual([], kinds([isr(2, 10), isr(3, 20, leader=-1)]))  # who leads is no part

    def test_a_node_that_names_itself_and_does_not_lead_is_found(self):
        self.expect("names itself", [isr(2, 10, leader=2)])

    def test_a_write_that_is_acknowledged_with_too_few_in_sync_is_found(self):
        history = [
            *story(),
            isr(1, 5, members=[1], leading=True), isr(1, 100, members=[1], leading=True),
        ]
        self.expect("too few in sync", history)
        history[-1]["parts"]["t-0"]["version"] = 3  # it may have been larger in between
        self.assertEqual([], kinds(history))

    def test_a_cluster_that_heals_too_late_or_never_is_found(self):
        healed = {"f": "healed", "kind": "kill", "t": 0}

        def good(at):
            return [isr(node, at, leading=node == 1, members=[1, 2, 3]) for node in (1, 2, 3)]

        self.assertEqual([], kinds([healed, *good(HEALED_WITHIN - SECOND)]))
        self.expect("healed late", [healed, *good(HEALED_WITHIN + SECOND)])
        for wrong in ({"isr": [1, 2]}, {"version": 2}, {"leader": 3}):
            never = [healed, *good(10)]
            for poll in never[1:2]:
                poll["parts"]["t-0"].update(wrong)
            self.assertIn("healed late", kinds(never))
        nobody = [healed, *good(10)]
        nobody[1]["parts"]["t-0"].update(leading=False, leader=-1)
        self.expect("healed late", nobody)

    def test_a_partition_that_changes_its_leader_again_and_again_is_found(self):
        history = [{"f": "fault", "kind": "deaf", "t": 0}, isr(1, 10, leading=True),
                   isr(1, 20, leading=True, epoch=1 + EPOCHS_MAX + 1)]
        self.expect("elections without end", history)
        history.append({"f": "fault", "kind": "deaf", "t": 15})
        self.assertEqual([], kinds(history))

    def test_a_change_of_an_isr_while_all_is_calm_is_found(self):
        history = [
            {"f": "calm", "t": 0, "on": True}, isr(1, 10), isr(1, 20, version=3),
            {"f": "calm", "t": 30, "on": False},
        ]
        self.expect("changed without cause", history)
        history[-1]["t"] = 15
        self.assertEqual([], kinds(history))

    def test_a_client_that_cannot_go_on_is_found(self):
        self.expect("stuck", [{"f": "fatal", "proc": "i1", "t": 5, "err": "out of order"}])


if __name__ == "__main__":
    unittest.main()
