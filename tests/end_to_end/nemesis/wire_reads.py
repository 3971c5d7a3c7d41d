"""Reading by raw requests, to know which node said it: a client library picks its nodes itself."""

import struct

from wire import METADATA, string

FETCH, LIST_OFFSETS = 1, 2
_CONTROL = 0x20
_BATCH_HEADER = struct.Struct(">qiibIhiqqqhii")


class Cursor:
    """Takes an answer apart from its front. struct.error if it is too short."""

    def __init__(self, data, at=0):
        self._data = data
        self._at = at

    def take(self, form):
        values = struct.unpack_from(">" + form, self._data, self._at)
        self._at += struct.calcsize(">" + form)
        return values[0] if len(values) == 1 else values

    def data(self, size):
        self._at += size
        return self._data[self._at - size:self._at]

    def string(self):
        size = self.take("h")
        return None if size < 0 else self.data(size).decode()

    def array(self, read):
        return [read() for _ in range(self.take("i"))]

    def varint(self):
        number = shift = 0
        while True:
            byte = self.take("B")
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number >> 1 ^ -(number & 1)
            shift += 7


def list_ends(connection, partitions):
    """{partition: (error, end, leader epoch)} of [(topic, number)], by ListOffsets."""
    body = struct.pack(">ibi", -1, 0, len(partitions))
    for topic, number in partitions:
        body += string(topic) + struct.pack(">iiiq", 1, number, -1, -1)
    answer = Cursor(connection.ask(LIST_OFFSETS, 4, body))
    answer.take("i")
    ends = {}

    def topic_of():
        topic = answer.string()

        def partition_of():
            number, error, _, offset, epoch = answer.take("ihqqi")
            ends[f"{topic}-{number}"] = (error, offset, epoch)

        answer.array(partition_of)

    answer.array(topic_of)
    return ends


def metadata(connection, topics):
    """(id of the metadata's leader, {partition: (leader, [isr])})"""
    body = struct.pack(">i", len(topics)) + b"".join(string(topic) for topic in topics)
    answer = Cursor(connection.ask(METADATA, 1, body))
    answer.array(lambda: (answer.take("i"), answer.string(), answer.take("i"), answer.string()))
    controller = answer.take("i")
    found = {}

    def partition_of(topic):
        _, number, leader = answer.take("hii")
        answer.array(lambda: answer.take("i"))
        found[f"{topic}-{number}"] = (leader, answer.array(lambda: answer.take("i")))

    def topic_of():
        answer.take("h")
        topic = answer.string()
        answer.take("b")
        answer.array(lambda: partition_of(topic))

    answer.array(topic_of)
    return controller, found


def fetch(connection, topic, number, offset, size=1 << 20):
    """(error, high watermark, [(offset, value, id)], the next offset to fetch from), by a version
    that any replica in sync answers. `id` is the producer's own number of the record, as text, ""
    if it has none."""
    body = (
        struct.pack(">iiiibiii", -1, 0, 0, size, 0, 0, -1, 1) + string(topic)
        + struct.pack(">iiiqqi", 1, number, -1, offset, -1, size)
        + struct.pack(">i", 0) + string("")
    )
    answer = Cursor(connection.ask(FETCH, 11, body))
    answer.take("ihi")
    answer.take("i")
    answer.string()
    answer.take("i")
    _, error, high_watermark, _, _ = answer.take("ihqqq")
    answer.array(lambda: answer.take("qq"))
    answer.take("i")
    length = answer.take("i")
    records, following = parse_batches(answer.data(max(length, 0)), offset)
    return error, high_watermark, records, following


def parse_batches(data, offset):
    """([(offset, value, id)] from `offset` on, what follows the last whole batch)."""
    found = []
    at = 0
    following = offset
    while at + _BATCH_HEADER.size <= len(data):
        (base, length, _, magic, _, attributes, last_delta, _, _, producer, epoch, sequence,
         count) = _BATCH_HEADER.unpack_from(data, at)
        assert magic == 2, f"magic {magic} at offset {base}"
        if at + 12 + length > len(data):
            break
        following = base + last_delta + 1
        if not attributes & _CONTROL:
            cursor = Cursor(data, at + _BATCH_HEADER.size)
            for number in range(count):
                name = "" if producer < 0 else f"{producer}/{epoch}/{sequence + number}"
                found.append((*_record(cursor, base), name))
        at += 12 + length
    return [each for each in found if each[0] >= offset], following


def _record(cursor, base):
    cursor.varint()
    cursor.take("b")
    cursor.varint()
    delta = cursor.varint()
    key = cursor.varint()
    cursor.data(max(key, 0))
    value = cursor.data(max(cursor.varint(), 0)).decode()
    for _ in range(cursor.varint()):
        cursor.data(max(cursor.varint(), 0))
        cursor.data(max(cursor.varint(), 0))
    return base + delta, value
