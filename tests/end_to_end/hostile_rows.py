"""What hostile input is answered with, one row each: where it comes from, what is sent, and the
error code that is expected, or that the connection is closed.

A name begins with its kind and number: "wire" for malformed input of the Kafka protocol, "input"
for values that make no sense.
"""

import struct

import wire
from hostile import (
    CLOSE, HUGE, array, commit, create_topics, delete_topic, epoch_end, fetch, fetch_session,
    framed, header, join, list_offsets, metadata, produce, request, set_config,
)
from wire import string

BATCH = wire.record_batch(["value"])


def patched(at, data, checked=True):
    """A batch with other bytes in one place, and the right CRC again."""
    changed = BATCH[:at] + data + BATCH[at + len(data):]
    if checked:
        changed = changed[:17] + struct.pack(">I", wire.crc32c(changed[21:])) + changed[21:]
    return changed


def flexible(api, version, body, tags=b"\0"):
    return request(api, version, body, tags=tags)


def gzipped(payload):
    start = patched(21, b"\0\1")[:61]
    changed = start[:8] + struct.pack(">i", 61 - 12 + len(payload)) + start[12:] + payload
    return changed[:17] + struct.pack(">I", wire.crc32c(changed[21:])) + changed[21:]


SOFTWARE = b"\5kcat\0041.7\0"

FRAMES = [
    ("wire 1: a negative length", struct.pack(">i", -1) + b"x" * 8, CLOSE),
    ("wire 2: a length beyond the limit", struct.pack(">i", 17 << 20), CLOSE),
    ("wire 2: the largest length there is", struct.pack(">i", HUGE), CLOSE),
    *[(f"wire 4: a request of {size} bytes", framed(b"\0" * size), CLOSE) for size in (0, 1, 3)],
    ("wire 5: a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 64, CLOSE),
    ("wire 5: HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", CLOSE),
    ("wire 5: SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n", CLOSE),
    ("wire 6: an API that there is not", request(9999, 0), CLOSE),
    ("wire 6: a negative API", request(-1, 0), CLOSE),
    ("wire 7: a version too high", request("Metadata", 99), CLOSE),
    ("wire 7: a version too low", request("Produce", 2), CLOSE),
    ("wire 7: a negative version", request("Metadata", -3), CLOSE),
    ("wire 8: ApiVersions of an unknown version", request("ApiVersions", 77, b"any"), 35),
    ("wire 8: ApiVersions of a negative version", request("ApiVersions", -1, b""), 35),
    ("wire 8: ApiVersions of a client without a name", flexible("ApiVersions", 3, b"\1\1\0"), 42),
    ("wire 8: ApiVersions of a client", flexible("ApiVersions", 3, SOFTWARE), 0),
    ("wire 10: a flexible header without tags", framed(header("Metadata", 9)), CLOSE),
    ("wire 10: a header of an older form", request("Metadata", 9, array(string("test"))), CLOSE),
    ("wire 11: a client id beyond the frame", request("Metadata", 4, client=b"\x7f\xffab"), CLOSE),
    ("wire 12: a client id of length -1", request("ApiVersions", 0, client=b"\xff\xff"), 0),
    ("wire 12: a client id of length -2", request("ApiVersions", 0, client=b"\xff\xfe"), CLOSE),
    ("wire 14: 2^32-1 tags in a header",
     flexible("Metadata", 9, b"", tags=b"\xff\xff\xff\xff\x0f"), CLOSE),
    ("wire 15: a body that is cut", request("Metadata", 4, array(string("test"))[:-2]), CLOSE),
    ("wire 16: bytes after a body", request("ApiVersions", 0, b"trailing"), 0),
    ("wire 17: 2^31-1 elements", request("Metadata", 4, struct.pack(">i", HUGE)), CLOSE),
    ("wire 17: more elements than bytes",
     request("Metadata", 4, struct.pack(">i", 1000) + b"\0" * 1999), CLOSE),
    ("wire 17: a million elements",
     request("Metadata", 4, struct.pack(">i", 10**6) + b"\0" * 2 * 10**6 + b"\0"), CLOSE),
    ("wire 18: -2 elements", request("Metadata", 4, struct.pack(">i", -2) + b"\0"), CLOSE),
    ("wire 19: null where there must be an array", request("Metadata", 0, b"\xff" * 4), CLOSE),
    ("wire 19: null where there must be a name", request("Metadata", 1, array(b"\xff\xff")), CLOSE),
    ("wire 21: a varint that ends early", flexible("Metadata", 9, b"\xff"), CLOSE),
    ("wire 21: a varint without end", flexible("Metadata", 9, b"\xff" * 9), CLOSE),
    ("wire 23: an unknown tag", flexible("ApiVersions", 3, SOFTWARE, tags=b"\1\x63\2hi"), 0),
    ("wire 24: a tag beyond the frame",
     flexible("ApiVersions", 3, SOFTWARE, tags=b"\1\x63\xff\x7fhi"), CLOSE),
    ("wire 25: one tag twice", flexible("ApiVersions", 3, SOFTWARE, tags=b"\2\x63\1a\x63\1b"), 0),
    ("wire 25: tags in no order",
     flexible("ApiVersions", 3, SOFTWARE, tags=b"\2\x63\1a\x21\1b"), 0),
    ("wire 26: 10^9 tags",
     flexible("ApiVersions", 3, SOFTWARE, tags=b"\x80\x94\xeb\xdc\x03" + b"\0" * 9000), CLOSE),
    ("wire 27: a boolean of 7", metadata("test", create=7), 0),
    ("wire 68: a negative correlation id", request("ApiVersions", 0, correlation=-5), 0),
]

NAMES = [
    *[(f"{kind}: Metadata of topic {name[:9]!r}", metadata(name), 17)
      for kind, name in (("wire 29", "n" * 32767), ("wire 29", ""), ("wire 29", "."),
                         ("wire 29", ".."), ("wire 29", "a/b"), ("input 17", "n" * 250),
                         ("input 17", "n" * 10000), ("input 17", "a\0b"), ("input 17", "\u00e9"))],
    *[(f"wire 29: CreateTopics of {name[:9]!r}", create_topics(name), 17)
      for name in ("n" * 32767, "", ".", "..", "a/b", "../../etc/passwd", "a\0b")],
    *[(f"wire 29: Produce to topic {name[:9]!r}", produce(BATCH, topic=name), 3)
      for name in ("n" * 32767, "", ".", "..", "a/b")],
    *[(f"wire 29: Fetch of topic {name[:9]!r}", fetch(topic=name), 3)
      for name in ("n" * 32767, "", ".", "..", "a/b")],
    *[(f"wire 57: {what} of partition {number}", ask(partition=number), 3)
      for what, ask in (("Produce", lambda partition: produce(BATCH, partition=partition)),
                        ("Fetch", fetch), ("ListOffsets", list_offsets))
      for number in (-1, HUGE, -2**31)],
    ("input 14: a topic that there is not", list_offsets(topic="none"), 3),
    ("input 18: a name", create_topics("a.b"), 0),
    ("input 18: a name that looks alike", create_topics("a_b"), 0),
    ("input 19: a topic once more", create_topics("a.b"), 36),
    ("input 44: a topic is deleted", delete_topic("a.b"), 0),
    ("input 44: it is deleted once more", delete_topic("a.b"), 3),
    ("input 44: it is made again at once", create_topics("a.b"), 0),
    ("input 44: and takes records", produce(BATCH, topic="a_b"), 0),
]

RECORDS = [
    ("wire 30: records that are null", produce(None), 87),
    ("wire 30: records of length -2", produce(b"", size=-2), CLOSE),
    ("wire 31: records beyond the frame", produce(BATCH, size=1 << 20), CLOSE),
    ("wire 32: no records", produce(b""), 87),
    ("wire 32: records shorter than a header", produce(BATCH[:40]), 87),
    ("wire 32: a batch that is cut", produce(BATCH[:-1]), 87),
    ("wire 32: a batch that says it is short", produce(patched(8, struct.pack(">i", 5))), 87),
    ("wire 32: a batch of a negative length", produce(patched(8, struct.pack(">i", -1))), 87),
    ("wire 33: a flipped bit", produce(BATCH[:-1] + bytes([BATCH[-1] ^ 1])), 2),
    ("wire 33: a wrong CRC", produce(patched(17, b"\0\0\0\0", checked=False)), 2),
    ("wire 34: message format 0", produce(patched(16, b"\0")), 87),
    ("wire 34: message format 1", produce(patched(16, b"\1")), 87),
    ("wire 35: message format 3", produce(patched(16, b"\3")), 2),
    ("wire 35: message format 255", produce(patched(16, b"\xff")), 2),
    ("wire 38: two batches", produce(BATCH + BATCH), 87),
    ("wire 39: bytes after the batch", produce(BATCH + b"tail"), 87),
    ("wire 41: a base offset", produce(patched(0, struct.pack(">q", 5))), 87),
    ("wire 42: a control batch", produce(patched(21, b"\0\x20")), 87),
    ("wire 44: a transaction", produce(patched(21, b"\0\x10")), 48),
    *[(f"wire 45: codec {codec}", produce(patched(21, bytes([0, codec]))), 76)
      for codec in (5, 6, 7)],
    ("wire 46: gzip that is none, which passes through", produce(gzipped(b"no gzip")), 0),
    ("wire 48: a batch beyond max.message.bytes", produce(gzipped(b"x" * 1048600)), 10),
    ("wire 49: acks=2", produce(BATCH, acks=2), 21),
    ("wire 49: acks=-7", produce(BATCH, acks=-7), 21),
    ("wire 50: acks=0 with an error", produce(BATCH, topic="none", acks=0), CLOSE),
    ("records fewer than they say", produce(patched(57, struct.pack(">i", HUGE))), 87),
    ("a negative number of records", produce(patched(57, struct.pack(">i", -1))), 87),
    *[(f"input 41: a produce with a timeout of {limit}", produce(BATCH, timeout=limit), code)
      for limit, code in ((0, 7), (-1, 7), (-2**31, 7), (HUGE, 0))],
]

READING = [
    ("wire 54: Fetch at offset -5", fetch(offset=-5), 1),
    ("wire 54: Fetch beyond the end", fetch(offset=10**9), 1),
    ("input 28: Fetch at 2^63-1", fetch(offset=2**63 - 1), 1),
    ("input 28: Fetch at -2^63", fetch(offset=-2**63), 1),
    ("input 28: ListOffsets of 2^63-1", list_offsets(timestamp=2**63 - 1), 0),
    ("input 28: ListOffsets of -2^63", list_offsets(timestamp=-2**63), 0),
    ("Fetch of a negative size", fetch(most=-1), 0),
    ("Fetch of size 2^31-1", fetch(most=HUGE), 0),
    ("wire 55: Fetch as a replica", request("Fetch", 7, struct.pack(
        ">iiiibii", 1, 0, 0, 1, 0, 0, -1) + array() * 2), 42),
    ("wire 55: ListOffsets as a replica", list_offsets(replica=1), 42),
    ("wire 55: OffsetForLeaderEpoch as a replica", epoch_end(replica=1), 42),
    ("OffsetForLeaderEpoch as a consumer", epoch_end(replica=-1), 0),
    ("wire 56: Fetch in a session that there is not", fetch_session(99), 70),
]

ADMIN = [
    ("wire 59: a value of 30 kB", set_config("min.insync.replicas", "0" * 30000 + "1"), 40),
    ("wire 59: a value of 10 MB", flexible(
        "IncrementalAlterConfigs", 1,
        b"\2\2\5test" + b"\2\x0dretention.ms\0"
        + b"\x81\xad\xe2\4" + b"0" * 10**7 + b"\0\0\0\0"), 40),
    ("wire 59: a value that is no number", set_config("min.insync.replicas", "abc"), 40),
    ("input 10: min.insync.replicas=0", set_config("min.insync.replicas", "0"), 40),
    ("input 10: min.insync.replicas=-1", set_config("min.insync.replicas", "-1"), 40),
    ("wire 59: an unknown key", set_config("k" * 30000, "1"), 40),
    ("wire 59: a topic with a bad value", create_topics("bad", min_insync_replicas="x"), 40),
    ("wire 59: a topic with a long value",
     create_topics("bad", max_message_bytes="0" * 30000 + "1"), 40),
    ("input 11: min.insync.replicas beyond the replicas",
     create_topics("clamped", min_insync_replicas="5"), 0),
    ("input 11: a record for it", produce(BATCH, topic="clamped"), 0),
    ("input 1: one replica twice", create_topics("bad", assignment=[[1, 1]]), 39),
    ("input 2: no replicas", create_topics("bad", assignment=[[]]), 39),
    ("input 8: a replica that there is not", create_topics("bad", assignment=[[HUGE]]), 39),
    ("input 8: a negative replica", create_topics("bad", assignment=[[-1]]), 39),
    ("input 7: too many replicas", create_topics("bad", replicas=100), 38),
    ("input 7: less than no replicas", create_topics("bad", replicas=-2), 38),
    ("input 16: less than no partitions", create_topics("bad", partitions=-2), 37),
    ("input 16: no partitions", create_topics("bad", partitions=0), 37),
    ("input 50: a million partitions", create_topics("bad", partitions=10**6), 37),
    ("input 50: more partitions than there may be", create_topics("bad", partitions=9999), 44),
]

GROUPS = [
    ("wire 60: no group", join(""), 24),
    ("wire 60: 1 MB of metadata", join("large", protocols=[("range", b"m" * 10**6)]), 42),
    ("wire 60: 1000 protocols", join("many", protocols=[(str(i), b"") for i in range(1000)]), 42),
    ("wire 60: no protocol", join("none", protocols=[]), 23),
    *[(f"wire 60: a session of {session} ms", join("session", session=session), 26)
      for session in (0, -1, 5, HUGE, -2**31)],
    ("wire 60: a member that nobody knows", join("none", member="m" * 30000), 25),
    ("offset metadata of 5000 bytes", commit("group", "m" * 5000), 12),
    ("offset metadata of 4000 bytes", commit("group", "m" * 4000), 0),
    ("an offset of a topic that there is not", commit("group", "", topic="none"), 3),
]

ROWS = [*FRAMES, *NAMES, *RECORDS, *READING, *ADMIN, *GROUPS]
