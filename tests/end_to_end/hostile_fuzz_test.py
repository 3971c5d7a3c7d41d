"""Requests cut anywhere, changed at random, and noise: thousands of each, on every port."""

import os
import random
import socket
import time
import unittest

from hostile import CLOSE, HostileTest, Raw, create_topics, framed, recorded
from processes import eventually

AT_ONCE = 100
EXTREMES = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0", b"\xff\xfe",
            b"\x7f\xff", b"\0\xff", b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x08", b"\1"]


def sources():
    """Addresses in turn, so that none runs out of ports."""
    while True:
        for last in range(2, 200):
            yield f"127.0.0.{last}"


def mutated(chance, frame):
    """The request with some of its bytes changed, added or taken away."""
    data = bytearray(frame)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(4, len(data) + 1) if len(data) > 4 else 0
        kind = chance.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            extreme = chance.choice(EXTREMES)
            data[at:at + len(extreme)] = extreme
        elif kind == 2:
            data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 100)))
        elif kind == 3:
            del data[at:at + chance.choice((1, 2, 4, 16))]
        else:
            end = min(len(data), at + chance.randrange(1, 40))
            data[at:at] = bytes(data[at:end]) * chance.choice((1, 2, 50))
    return bytes(data)


class HostileFuzz(HostileTest):
    def setUp(self):
        super().setUp()
        seed = int(os.environ.get("INSYNC_SEED", random.randrange(2**32)))
        self.say(f"INSYNC_SEED={seed}")
        print(f"replay with INSYNC_SEED={seed}", flush=True)
        self.chance = random.Random(seed)
        self.sources = sources()

    def send_all(self, node, frames, timeout=10):
        """Each on a connection of its own, many at a time. How many were closed."""
        closed = 0
        for first in range(0, len(frames), AT_ONCE):
            batch = []
            source = next(self.sources)
            for frame in frames[first:first + AT_ONCE]:
                connection = Raw(node, source, timeout=timeout)
                connection.send(frame)
                batch.append(connection)
            for connection in batch:
                with connection:
                    try:
                        closed += connection.answer() == CLOSE
                    except TimeoutError:
                        pass  # it waits, as some requests do
        return closed

    def test_every_request_of_every_version_may_be_cut_anywhere(self):
        node = self.target()
        self.ask(node, create_topics("t1"))
        frames = recorded()
        cuts = [framed(frame[:size]) for _, frame in frames for size in range(4, len(frame))]
        if len(cuts) > 12000:
            # The rest another time; the C++ tests cut every message everywhere.
            cuts = self.chance.sample(cuts, 12000)
        closed = self.send_all(node, cuts)
        # A batch of records that is cut is an error and no end; most others are no request.
        self.assertGreater(closed, len(cuts) * 0.5)
        self.say(f"{len(cuts)} cuts of {len(frames)} requests")
        self.check_unharmed()

    def test_changed_requests_harm_nobody(self):
        node = self.target(max_partitions=300)
        self.ask(node, create_topics("t1"))
        frames = [frame for _, frame in recorded()]
        count = 6000
        for part in range(10):
            changed = [
                framed(mutated(self.chance, self.chance.choice(frames)))
                for _ in range(count // 10)
            ]
            self.send_all(node, changed, timeout=0.05)
            self.check_serves(node, f"part {part}")
        self.say(f"{count} changed requests")
        self.check_unharmed()

    def test_noise_on_any_port_harms_nobody(self):
        node = self.target()
        for port in (node.kafka_port, node.raft_port, node.http_port):
            for _ in range(300):
                size = self.chance.choice((1, 3, 4, 8, 22, 26, 100, 4096, 70000))
                with socket.socket() as connection:
                    connection.connect(("127.0.0.1", port))
                    try:
                        connection.sendall(self.chance.randbytes(size))
                    except OSError:
                        pass
            self.check_serves(node, f"noise on {port}")
        self.assertTrue(eventually(node.health, what="health"))
        self.check_unharmed()

    def test_the_links_between_nodes_take_no_strangers(self):
        node = self.target()
        start = time.monotonic()
        connections = []
        for _ in range(200):
            connection = socket.create_connection(("127.0.0.1", node.raft_port), 10)
            # Half of a greeting, or a whole one of another cluster.
            connection.sendall(self.chance.choice((b"ISYN", b"ISYN\0\1" + b"\0" * 16)))
            connections.append(connection)
        for connection in connections:
            with connection:
                try:
                    while connection.recv(4096):
                        pass
                except ConnectionError:
                    pass
        self.assertLess(time.monotonic() - start, 30)
        self.check_unharmed()


if __name__ == "__main__":
    unittest.main()
