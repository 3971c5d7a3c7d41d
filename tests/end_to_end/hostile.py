"""Bytes that no client sends, and what a node makes of them.

Requests are built by hand, or taken from the frames that were recorded for the C++ tests, which
have every API in every version.
"""

import socket
import struct
import time
from pathlib import Path

import wire
from node import ROOT
from processes import eventually
from support import ClusterTest
from wire import string

TOPIC = "test"
CLOSE = "closed"
HUGE = 2**31 - 1
APIS = {
    "Produce": 0, "Fetch": 1, "ListOffsets": 2, "Metadata": 3, "OffsetCommit": 8,
    "JoinGroup": 11, "SyncGroup": 14, "ApiVersions": 18, "CreateTopics": 19, "DeleteTopics": 20,
    "OffsetForLeaderEpoch": 23, "IncrementalAlterConfigs": 44,
}


def framed(data):
    return struct.pack(">i", len(data)) + data


def header(api, version, correlation=7, client=string("hostile")):
    return struct.pack(">hhi", APIS.get(api, api), version, correlation) + client


def request(api, version, body=b"", **parts):
    """A whole frame; `tags` are those of a flexible version's header."""
    tags = parts.pop("tags", b"")
    return framed(header(api, version, **parts) + tags + body)


def array(*elements):
    return struct.pack(">i", len(elements)) + b"".join(elements)


def produce(records, topic=TOPIC, partition=0, acks=-1, timeout=5000, size=None, version=7):
    """One partition's records; None for null. `size` is a length that is not theirs."""
    data = b"" if records is None else records
    size = (-1 if records is None else len(data)) if size is None else size
    partitions = array(struct.pack(">ii", partition, size) + data)
    return request("Produce", version, struct.pack(">hhi", -1, acks, timeout)
                   + array(string(topic) + partitions))


def fetch(topic=TOPIC, partition=0, offset=0, replica=-1, wait=0, least=0, most=1 << 20):
    return request("Fetch", 4, struct.pack(">iiiib", replica, wait, least, most, 0)
                   + array(string(topic) + array(struct.pack(">iqi", partition, offset, most))))


def fetch_session(session):
    return request("Fetch", 7, struct.pack(">iiiibii", -1, 0, 0, 1, 0, session, 5) + array() * 2)


def list_offsets(topic=TOPIC, partition=0, timestamp=-1, replica=-1):
    return request("ListOffsets", 2, struct.pack(">ib", replica, 0)
                   + array(string(topic) + array(struct.pack(">iq", partition, timestamp))))


def epoch_end(replica, epoch=1):
    return request("OffsetForLeaderEpoch", 3, struct.pack(">i", replica)
                   + array(string(TOPIC) + array(struct.pack(">iii", 0, -1, epoch))))


def metadata(*topics, create=0, version=4):
    allowed = struct.pack(">b", create) if version >= 4 else b""
    return request("Metadata", version, array(*map(string, topics)) + allowed)


def create_topics(name, partitions=1, replicas=1, assignment=None, timeout=5000, **configs):
    """`assignment` is a list of brokers for each partition."""
    if assignment is not None:
        partitions, replicas = -1, -1
    placed = array(*(
        struct.pack(">i", number) + array(*(struct.pack(">i", broker) for broker in brokers))
        for number, brokers in enumerate(assignment or [])
    ))
    settings = array(*(
        string(key.replace("_", ".")) + string(value) for key, value in configs.items()
    ))
    return request("CreateTopics", 4, array(string(name) + struct.pack(">ih", partitions, replicas)
                                            + placed + settings) + struct.pack(">i?", timeout, 0))


def delete_topic(name):
    return request("DeleteTopics", 1, array(string(name)) + struct.pack(">i", 5000))


def set_config(key, value, topic=TOPIC):
    one = struct.pack(">b", 2) + string(topic) + array(string(key) + b"\0" + string(value))
    return request("IncrementalAlterConfigs", 0, array(one) + b"\0")


def join(group, session=10_000, protocols=(("range", b""),), kind="consumer", member=""):
    listed = array(*(string(n) + struct.pack(">i", len(data)) + data for n, data in protocols))
    return request("JoinGroup", 2, string(group) + struct.pack(">ii", session, session)
                   + string(member) + string(kind) + listed)


def commit(group, note, topic=TOPIC):
    one = struct.pack(">iq", 0, 1) + string(note)
    return request("OffsetCommit", 2, string(group) + struct.pack(">i", -1) + string("")
                   + struct.pack(">q", -1) + array(string(topic) + array(one)))


def error_of(sent, answer):
    """The one error code in the answer to one of the requests above."""
    api, version = struct.unpack(">hh", sent[4:8])
    at = 4  # the correlation id
    if api == APIS["ApiVersions"]:
        return struct.unpack(">h", answer[at:at + 2])[0]
    if api == APIS["Fetch"] and version >= 7 or api == APIS["JoinGroup"]:
        return struct.unpack(">h", answer[at + 4:at + 6])[0]
    if api == APIS["IncrementalAlterConfigs"] and version == 1:
        return struct.unpack(">h", answer[10:12])[0]
    throttled = {APIS["Produce"]: 0, APIS["DeleteTopics"]: 4, APIS["OffsetCommit"]: 0}
    at += throttled.get(api, 4)
    if api == APIS["Metadata"]:
        (brokers,) = struct.unpack(">i", answer[at:at + 4])
        at += 4
        for _ in range(brokers):
            at += 4
            at += 2 + struct.unpack(">h", answer[at:at + 2])[0] + 4 + 2  # no rack
        at += 2 + struct.unpack(">h", answer[at:at + 2])[0] + 4
    at += 4  # one topic or resource
    if api in (APIS["Metadata"], APIS["IncrementalAlterConfigs"]):
        return struct.unpack(">h", answer[at:at + 2])[0]
    at += 2 + struct.unpack(">h", answer[at:at + 2])[0]  # its name
    if api in (APIS["CreateTopics"], APIS["DeleteTopics"]):
        return struct.unpack(">h", answer[at:at + 2])[0]
    at += 4 if api == APIS["OffsetForLeaderEpoch"] else 8  # one partition, and its number
    return struct.unpack(">h", answer[at:at + 2])[0]


def recorded():
    """[(name, frame)] of one request of every API in every version, as clients send them."""
    found = []
    for line in (ROOT / "tests/mini_broker/kafka_frames.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        _, api, version, sent, _ = line.split(" ")
        found.append((f"{api} {version}", bytes.fromhex(sent)))
    assert len({name for name, _ in found}) > 100
    return found


class Raw:
    """One TCP connection to a node, byte for byte; from an address of one's own if told."""

    def __init__(self, node, source="127.0.0.1", timeout=10, buffer=None):
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(timeout)
        if source != "127.0.0.1":
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", node.kafka_port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        """False if the node has closed the connection meanwhile."""
        try:
            self.socket.sendall(data)
            return True
        except TimeoutError:
            raise
        except OSError:
            return False

    def _read(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError("closed")
            data += part
        return data

    def answer(self):
        """The next answer without its length, or CLOSE. TimeoutError if nothing comes."""
        try:
            return self._read(struct.unpack(">i", self._read(4))[0])
        except TimeoutError:
            raise
        except OSError:
            return CLOSE

    def ask(self, data):
        return self.answer() if self.send(data) else CLOSE


class HostileTest(ClusterTest):
    """One node with a topic, that must be the same process, as it was, when a test is over."""

    def target(self, memory_mib=700, **flags):
        """`memory_mib` is the most that the node may take, sanitizers' own apart."""
        cluster = self.cluster(nodes=1, **flags)
        node = cluster.node(1)
        eventually(lambda: self.ask(node, create_topics(TOPIC)) in (0, 36), what="the topic")
        eventually(lambda: self.ask(node, produce(wire.record_batch(["first"]))) == 0,
                   what="the first record")
        self.process = node.process
        self.memory_mib = memory_mib
        self.node = node
        return node

    def ask(self, node, data):
        """The error code of one request on a connection of its own."""
        with Raw(node) as connection:
            answer = connection.ask(data)
        return answer if answer == CLOSE else error_of(data, answer)

    def check_serves(self, node, what=""):
        """A record is taken in and given back on a connection of its own."""
        value = f"{what[:40]} {time.monotonic()}"
        start = time.monotonic()
        with wire.Connection(node.address, timeout=30) as connection:
            error, offset = connection.produce(TOPIC, [value])
            self.assertEqual(wire.NONE, error, f"produce after {what}")
            got = connection.ask(APIS["Fetch"], 4, fetch(offset=offset)[4 + 8 + 9:])
        self.assertIn(value.encode(), got, f"fetch after {what}")
        return time.monotonic() - start

    def memory(self):
        """MiB that are resident, of the node."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [each for each in status.splitlines() if each.startswith("VmRSS")]
        return int(line.split()[1]) // 1024

    def check_unharmed(self):
        """To be called at the end of every test."""
        self.check_serves(self.node, "all")
        self.assertIs(self.process, self.node.process)
        self.assertIsNone(self.process.poll(), "the node has ended")
        log = self.node.log()
        for word in ("Sanitizer", "runtime error"):
            self.assertNotIn(word, log)
        memory = self.memory()
        # AddressSanitizer keeps what was freed for a while, and shadows of everything.
        sanitized = b"__asan_init" in Path(f"/proc/{self.process.pid}/exe").read_bytes()
        self.assertLess(memory, self.memory_mib * (3 if sanitized else 1), "MiB resident")
        self.say(f"{memory} MiB")
        self.assertEqual(0, self.node.terminate(), "exit status")
        for word in ("Sanitizer", "runtime error"):
            self.assertNotIn(word, self.node.log())
