"""Clients that are slow, many, large or silent: bounded each, and others are served meanwhile."""

import socket
import struct
import time
import unittest

import wire
from hostile import (
    CLOSE, HUGE, HostileTest, Raw, create_topics, fetch, framed, header, join, metadata, produce,
    request,
)
from processes import eventually

OTHER = "127.0.0.2"
ENDED = "mini_broker_connections_ended_total"
SLOW = 5  # seconds that a client may have to wait while others do their worst


class HostileLoad(HostileTest):
    def ended(self, node, reason):
        return node.metric(ENDED, reason=reason)

    def await_ended(self, node, reason, least, timeout=30):
        eventually(lambda: self.ended(node, reason) >= least, timeout,
                   what=f"{least} connections that ended as {reason}")

    def check_quick(self, node, what):
        self.assertLess(self.check_serves(node, what), SLOW, f"seconds, beside {what}")

    def test_two_thousand_connections_leave_room_for_others(self):
        node = self.target()
        connections = [Raw(node, OTHER) for _ in range(2000)]
        self.check_quick(node, "2000 connections")
        self.await_ended(node, "too_many_of_host", 1500)
        # Those that got in say nothing, and must go.
        self.await_ended(node, "no_request", 500)
        self.assertEqual(CLOSE, connections[0].answer())
        for connection in connections:
            connection.close()
        with Raw(node, OTHER) as again:
            self.assertNotEqual(CLOSE, again.ask(request("ApiVersions", 0)))
        self.check_unharmed()

    def test_there_are_no_more_connections_than_allowed(self):
        node = self.target(max_connections=50, max_connections_per_address=40)
        for last in (2, 3):
            for _ in range(40):
                Raw(node, f"127.0.0.{last}").close()
        connections = [Raw(node, f"127.0.0.{last}") for last in (2, 3) for _ in range(40)]
        self.await_ended(node, "too_many", 1)
        for connection in connections:
            connection.close()
        eventually(lambda: self.check_serves(node, "too many") > 0, what="room again")
        self.check_unharmed()

    def test_requests_that_end_half_way_hold_no_more_than_allowed(self):
        node = self.target(max_connection_memory=128 << 20, memory_mib=500)
        begun = struct.pack(">i", 16 << 20) + header("Produce", 7) + b"\0" * (15 << 20)
        connections = []
        for number in range(40):
            connections.append(Raw(node, OTHER))
            connections[-1].send(begun)
            if number % 10 == 0:
                self.check_quick(node, "large requests")
        self.await_ended(node, "too_much_memory", 20)
        for connection in connections:
            connection.close()
        self.check_unharmed()

    def test_a_length_alone_takes_no_memory(self):
        node = self.target(memory_mib=200)
        connections = [Raw(node, OTHER) for _ in range(400)]
        for connection in connections:
            connection.send(struct.pack(">i", 16 << 20) + b"\0")
        self.check_quick(node, "announced requests")
        self.assertLess(self.memory(), 200 * 3)
        for connection in connections:
            connection.close()
        self.check_unharmed()

    def test_who_sends_byte_by_byte_is_served_or_closed_and_never_waited_for(self):
        node = self.target()
        slow = [Raw(node, OTHER) for _ in range(50)]
        asked = request("ApiVersions", 0)
        for at in range(len(asked)):
            for connection in slow[:25]:
                self.assertTrue(connection.send(asked[at:at + 1]))
            for connection in slow[25:]:
                connection.send(asked[:4] if at == 0 else b"")
            if at % 8 == 0:
                self.check_quick(node, "slow writers")
        for connection in slow[:25]:
            self.assertNotEqual(CLOSE, connection.answer())
        self.await_ended(node, "no_request", 25)
        # Connections that are torn down in the middle of a request.
        for connection in [Raw(node, OTHER) for _ in range(300)]:
            connection.send(framed(header("Metadata", 4))[:9])
            connection.socket.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            connection.close()
        for connection in slow:
            connection.close()
        self.check_unharmed()

    def test_who_does_not_read_answers_holds_little_and_is_closed(self):
        node = self.target()
        batch = wire.record_batch(["x" * 900_000])
        for _ in range(20):
            self.assertEqual(0, self.ask(node, produce(batch)))
        deaf = [Raw(node, OTHER, timeout=0.2, buffer=4096) for _ in range(60)]
        for connection in deaf:
            try:
                connection.send(fetch(most=HUGE) * 50)
            except TimeoutError:
                pass  # nobody reads what comes behind the first
        self.check_quick(node, "deaf clients")
        self.await_ended(node, "unread_answers", 1, timeout=60)
        eventually(
            lambda: self.ended(node, "unread_answers") + self.ended(node, "too_much_memory") >= 60,
            60, what="an end of all of them",
        )
        for connection in deaf:
            connection.close()
        self.check_unharmed()

    def test_five_hundred_fetches_that_wait_for_ever_slow_nobody_down(self):
        node = self.target()
        for _ in range(6):
            self.assertEqual(0, self.ask(node, produce(wire.record_batch(["x" * 900_000]))))
        waiting = [Raw(node, OTHER) for _ in range(500)]
        longest = 0
        for connection in waiting:
            connection.send(fetch(wait=HUGE, least=HUGE, most=HUGE))
        for _ in range(20):
            longest = max(longest, self.check_serves(node, "fetches that wait"))
        self.say(f"longest {longest:.2f} s")
        self.assertLess(longest, SLOW)
        for connection in waiting:
            connection.close()
        self.check_unharmed()

    def test_requests_beyond_those_that_may_wait_are_answered_at_once(self):
        node = self.target(max_waits=5)
        waiting = [Raw(node, OTHER, timeout=2) for _ in range(30)]
        for connection in waiting:
            connection.send(fetch(offset=1, wait=4500, least=1))
        start = time.monotonic()
        for connection in waiting[5:]:
            self.assertNotEqual(CLOSE, connection.answer())
        self.assertLess(time.monotonic() - start, 4)
        for connection in waiting:
            connection.close()
        # What they held is free again.
        eventually(lambda: self.check_serves(node, "waits") > 0, what="room to wait")
        self.check_unharmed()


class HostileStorms(HostileTest):
    def test_storms_of_members_are_bounded(self):
        node = self.target(memory_mib=400)
        group = "g" * 30_000
        connections = [Raw(node, OTHER) for _ in range(300)]
        for turn in range(10):
            for number, connection in enumerate(connections):
                connection.send(join(f"{group}{turn}-{number % 7}",
                                     protocols=[("range", b"m" * 200_000)]))
            self.assertLess(self.check_serves(node, "joins"), 10)
            for connection in connections:
                connection.close()
            connections = [Raw(node, OTHER) for _ in range(300)]
        for connection in connections:
            connection.close()
        self.check_unharmed()

    def test_storms_of_topics_are_bounded(self):
        node = self.target(max_partitions=200)
        codes = {self.ask(node, create_topics(f"storm-{i}", partitions=10)) for i in range(40)}
        self.assertEqual({0, 44}, codes)
        full = self.log_size(node)
        for turn in range(20):
            with Raw(node, timeout=30) as connection:
                names = [f"auto-{turn}-{i}" for i in range(2000)]
                self.assertNotEqual(CLOSE, connection.ask(metadata(*names, create=1)))
            self.assertEqual(44, self.ask(node, create_topics(f"more-{turn}", partitions=200)))
        self.check_serves(node, "topics")
        partitions = [each for each in node.isr_page()["partitions"]]
        self.assertLessEqual(len(partitions), 200)
        # What was refused is in no log; ISR changes and the like are a few entries.
        self.assertLess(self.log_size(node), full + 100_000)
        self.check_unharmed()

    def log_size(self, node):
        return sum(each.stat().st_size for each in (node.folder / "metadata").rglob("*.log"))


if __name__ == "__main__":
    unittest.main()
