"""The few Kafka requests that a test must see to the bit: which error, which offset, how soon."""

import socket
import struct
import time

PRODUCE, FETCH, METADATA, INIT_PRODUCER_ID = 0, 1, 3, 22
NONE, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER, REQUEST_TIMED_OUT = 0, 3, 6, 7
NOT_ENOUGH_REPLICAS, NOT_ENOUGH_REPLICAS_AFTER_APPEND = 19, 20


def _table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC32C = _table()


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ _CRC32C[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def varint(number):
    number = number << 1 ^ number >> 63
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def string(text):
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def record_batch(values, producer_id=-1, producer_epoch=-1, sequence=-1):
    """A batch of records without keys."""
    now = int(time.time() * 1000)
    records = b""
    for number, value in enumerate(values):
        data = value.encode()
        record = b"\0\0" + varint(number) + varint(-1) + varint(len(data)) + data + varint(0)
        records += varint(len(record)) + record
    body = struct.pack(
        ">hiqqqhii", 0, len(values) - 1, now, now, producer_id, producer_epoch, sequence,
        len(values),
    ) + records
    checked = struct.pack(">I", crc32c(body)) + body
    return struct.pack(">qiib", 0, 4 + 1 + len(checked), -1, 2) + checked


class Connection:
    """One connection to one node. OSError when it ends or says nothing in time."""

    def __init__(self, address, timeout=10):
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._correlation = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _read(self, size):
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise ConnectionError("closed by the broker")
            data += part
        return data

    def ask(self, api, version, body):
        """Sends a request and returns what follows its answer's header."""
        self._correlation += 1
        request = struct.pack(">hhi", api, version, self._correlation) + string("wire") + body
        self._socket.sendall(struct.pack(">i", len(request)) + request)
        answer = self._read(struct.unpack(">i", self._read(4))[0])
        assert struct.unpack(">i", answer[:4])[0] == self._correlation, "an answer out of order"
        return answer[4:]

    def produce(self, topic, values, partition=0, acks=-1, timeout=5000, batch=None):
        """(error, base offset) of one batch."""
        data = batch if batch is not None else record_batch(values)
        body = (
            struct.pack(">hhii", -1, acks, timeout, 1) + string(topic)
            + struct.pack(">iii", 1, partition, len(data)) + data
        )
        answer = self.ask(PRODUCE, 7, body)
        at = 4 + 2 + len(topic.encode()) + 4
        answered, error, offset = struct.unpack(">ihq", answer[at:at + 14])
        assert answered == partition
        return error, offset

    def fetch(self, topic, partition, offset):
        """(error, bytes of record batches) from an offset on."""
        body = (
            struct.pack(">iiiib", -1, 100, 0, 1 << 24, 0) + struct.pack(">i", 1) + string(topic)
            + struct.pack(">iiqi", 1, partition, offset, 1 << 24)
        )
        answer = self.ask(FETCH, 4, body)
        at = 4 + 4 + 2 + len(topic.encode()) + 4
        answered, error, _, _, aborted, size = struct.unpack(">ihqqii", answer[at:at + 30])
        assert answered == partition and aborted <= 0
        return error, answer[at + 30:at + 30 + size]

    def init_producer_id(self):
        """(error, producer id, epoch)"""
        answer = self.ask(INIT_PRODUCER_ID, 0, struct.pack(">hi", -1, 60000))
        return struct.unpack(">hqh", answer[4:16])


def produce(address, topic, value, acks=-1, timeout=5000):
    """(error, base offset, seconds) of one record, by a connection of its own."""
    with Connection(address) as connection:
        start = time.monotonic()
        error, offset = connection.produce(topic, [value], acks=acks, timeout=timeout)
        return error, offset, time.monotonic() - start


class IdempotentProducer:
    """Sends one record at a time, and each until a node has acknowledged it, as an idempotent
    producer does: with the same number, to whoever leads by now."""

    def __init__(self, cluster, topic, partition=0):
        self._cluster = cluster
        self._topic = topic
        self._partition = partition
        self._connection = None
        self._turn = 0
        self._sequence = 0
        self.retries = 0
        self.longest = 0.0
        self._id, self._epoch = self._new_id()

    def _connected(self):
        if self._connection is None:
            nodes = self._cluster.nodes
            self._connection = Connection(nodes[self._turn % len(nodes)].address, timeout=2)
        return self._connection

    def _elsewhere(self):
        self.retries += 1
        self._turn += 1
        self.close()
        time.sleep(0.02)

    def _new_id(self):
        while True:
            try:
                error, producer, epoch = self._connected().init_producer_id()
                if error == NONE:
                    return producer, epoch
            except OSError:
                pass
            self._elsewhere()

    def send(self, value, timeout=60):
        """Returns the offset at which the record was acknowledged."""
        batch = record_batch([value], self._id, self._epoch, self._sequence)
        start = time.monotonic()
        last = None
        while time.monotonic() < start + timeout:
            try:
                last, offset = self._connected().produce(
                    self._topic, [value], self._partition, timeout=3000, batch=batch
                )
                if last == NONE:
                    self._sequence += 1
                    self.longest = max(self.longest, time.monotonic() - start)
                    return offset
            except OSError as error:
                last = error
            self._elsewhere()
        raise AssertionError(f"{value!r} was not acknowledged in {timeout} s; at last: {last!r}")

    def close(self):
        if self._connection is not None:
            self._connection.__exit__()
            self._connection = None
