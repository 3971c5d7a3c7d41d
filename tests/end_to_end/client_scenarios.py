"""What every client must be able to do, whatever it is written in."""

import itertools
import re
import struct
import threading

import wire
from processes import eventually
from support import ClusterTest

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]  # by their number in a batch
CONTROL = 0x20
EVERYBODY = {1, 2, 3}


def stored_codecs(cluster, topic):
    """How the batches of partition 0 are compressed, without repetitions."""
    leader = cluster.node(cluster.await_leader(topic, 0))
    found, offset = [], 0
    with wire.Connection(leader.address) as connection:
        while True:
            error, data = connection.fetch(topic, 0, offset)
            assert error == wire.NONE, error
            if not data:
                return [codec for codec, _ in itertools.groupby(found)]
            while len(data) >= 61:
                base, length = struct.unpack(">qi", data[:12])
                attributes, last = struct.unpack(">hi", data[21:27])
                if not attributes & CONTROL:
                    found.append(CODECS[attributes & 7])
                offset = base + last + 1
                data = data[12 + length:]


class Load:
    """Feeds producers with numbers, so many a second each, until it is told to stop."""

    EVERY = 0.02

    def __init__(self, producers, rate):
        self._producers = producers
        self._step = int(rate * self.EVERY)
        self._stop = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._feed)
        self._thread.start()

    def _feed(self):
        start = 0
        while not self._stop.wait(self.EVERY):
            for producer in self._producers:
                try:
                    producer.send([str(start + number) for number in range(self._step)])
                except OSError as error:
                    self._failure = f"{producer.process.args}: {error} {''.join(producer.errors)}"
                    return
            start += self._step

    def check(self):
        """AssertionError if a producer has ended."""
        assert self._failure is None, self._failure

    def stop(self):
        self._stop.set()
        self._thread.join()
        self.check()


class ClientTest(ClusterTest):
    """A test of one client: `client_class`."""

    client_class = None

    def setUp(self):
        super().setUp()
        reason = self.client_class.unavailable()
        if reason:
            self.skipTest(reason)

    def clients(self, **flags):
        """A cluster, as this client sees it."""
        return self.client_class(self.cluster(**flags))

    def eventually_described(self, client, topic, isrs, min_isr):
        # Any node may be asked, also one that learns of it last.
        eventually(lambda: client.describe(topic) == (isrs, min_isr), what=f"{topic} as described")

    def create(self, client, topic, partitions, min_isr=2):
        client.create(topic, partitions, min_isr)
        client.cluster.await_settled(topic)

    def produce(self, client, topic, values, **how):
        producer = client.producer(topic, **how)
        self.addCleanup(producer.close)
        producer.send(values)
        outcome = producer.outcome()
        self.assertEqual((len(values), 0), outcome[:2], outcome.said)

    def join(self, client, group, topic):
        member = client.join(group, topic)
        self.addCleanup(member.close)
        return member

    # Steps

    def check_topics(self, client):
        """Creates, alters, describes and deletes one."""
        client.create("topics", 2, 2)
        self.eventually_described(client, "topics", [EVERYBODY] * 2, "2")
        client.alter("topics", 4, 1)
        self.eventually_described(client, "topics", [EVERYBODY] * 4, "1")
        client.delete("topics")
        self.eventually_described(client, "topics", [], "")

    def check_acks_and_codecs(self, client):
        """Each acks, and each codec, which is what lies on disk, too."""
        self.create(client, "produced", 1)
        chosen = [("all", "default"), ("1", "none"), ("0", "none")]
        chosen += [("all", codec) for codec in client.codecs]
        sent = []
        for turn, (acks, codec) in enumerate(chosen):
            values = [f"{turn} acks={acks} {codec} {number} {'text ' * 9}end"
                      for number in range(20)]
            self.produce(client, "produced", values, acks=acks, codec=codec)
            sent += values
        self.assertEqual([(0, value) for value in sent], client.consume("produced"))
        expected = [client.default_codec, "none", *client.codecs]
        expected = [codec for codec, _ in itertools.groupby(expected)]
        self.assertEqual(expected, stored_codecs(client.cluster, "produced"))

    def check_group(self, client):
        """Two members share the partitions, and a third goes on where they were."""
        self.create(client, "shared", 4)
        members = [self.join(client, "group", "shared") for _ in range(2)]

        def both_have_some():
            had = client.assignments("group", members)
            return len(had) == 2 and all(had) and sorted(itertools.chain(*had)) == [0, 1, 2, 3]

        eventually(both_have_some, 60, what="partitions of both members")
        early = [f"early {number}" for number in range(100)]
        self.produce(client, "shared", early)

        def read_by(those):
            return [value for member in those for _, value in member.records()]

        eventually(lambda: len(read_by(members)) >= 100, what="100 records read")
        for member in members:
            self.assertTrue(member.records())
            member.leave()
        self.assertEqual(sorted(early), sorted(read_by(members)))
        late = [f"late {number}" for number in range(20)]
        self.produce(client, "shared", late)
        third = self.join(client, "group", "shared")
        eventually(lambda: len(read_by([third])) >= 20, what="20 records read")
        third.leave()
        self.assertEqual(sorted(late), sorted(read_by([third])))

    # Changes of leader

    MODES = {
        "idempotent": {"acks": "all", "idempotent": True}, "acks=all": {"acks": "all"},
        "acks=1": {"acks": "1"}, "acks=0": {"acks": "0"},
    }

    def check_leader_changes(self, client, rate=500):
        """All kinds of producers at once, while a leader is killed, and the next one ends in
        order. Each node leads a partition of each topic."""
        cluster = client.cluster
        topics = {mode: f"load-{number}" for number, mode in enumerate(self.MODES)}
        for topic in topics.values():
            self.create(client, topic, 3)
        producers = {
            mode: client.producer(topics[mode], **how) for mode, how in self.MODES.items()
        }
        for producer in producers.values():
            self.addCleanup(producer.close)
        load = Load(producers.values(), rate)
        self.addCleanup(load.stop)
        self.await_flow(load, cluster, topics.values())
        cluster.node(1).kill()
        self.await_flow(load, cluster, topics.values())
        cluster.node(1).start()
        self.await_all_in_sync(cluster)
        self.assertEqual(0, cluster.node(2).terminate())
        self.await_flow(load, cluster, topics.values())
        load.stop()
        cluster.node(2).start()
        # A client asks for the end of a partition once, of whom it takes for the leader.
        for topic in topics.values():
            cluster.await_settled(topic)
        for mode, topic in topics.items():
            self.judge(client, mode, topic, producers[mode])

    def await_all_in_sync(self, cluster):
        """Until every node says so of every partition."""

        def in_sync():
            for node in cluster.nodes:
                for found in cluster.metadata(node=node)["topics"]:
                    for each in found["partitions"]:
                        isr = {replica["id"] for replica in each["isrs"]}
                        assert isr == EVERYBODY and each["leader"] > 0, (found["topic"], each)
            return True

        eventually(in_sync, 60, what="all in sync")

    def await_flow(self, load, cluster, topics):
        """Until each partition takes records."""
        asked = [part for topic in topics for number in range(3)
                 for part in ("-t", f"{topic}:{number}:-1")]

        def ends():
            result = cluster.kcat("-Q", *asked, timeout=10)
            assert result.returncode == 0, result.stderr
            return dict(re.findall(r"^(\S+ \[\d+\]) offset (\d+)", result.stdout, re.M))

        before = eventually(ends, what="the ends of the partitions")
        self.assertEqual(len(asked) // 2, len(before), before)

        def have_grown():
            load.check()
            now = ends()
            idle = [name for name in before if int(now[name]) < int(before[name]) + 20]
            assert not idle, idle
            return True

        eventually(have_grown, 60, what="records in each partition")

    def judge(self, client, mode, topic, producer):
        """Compares what was acknowledged with what is there."""
        outcome = producer.outcome()
        read = client.consume(topic)
        distinct = {value for _, value in read}
        doubled = len(read) - len(distinct)
        sent = len(set(producer.values))
        self.assertLessEqual(distinct, set(producer.values))
        if "acks" not in mode or mode == "acks=all":
            self.assertEqual((sent, 0), outcome[:2], f"{mode}: {outcome.said}")
            self.assertEqual(sent, len(distinct), f"{mode}: lost some")
        if mode == "idempotent":
            self.assertEqual(0, doubled)
            for number in range(3):
                values = [int(value) for partition, value in read if partition == number]
                self.assertEqual(sorted(values), values, f"partition {number}")
        lost = outcome.acknowledged - len(distinct)
        given_up = f", {outcome.failed} given up" if outcome.failed else ""
        self.say(f"{mode} {sent}: {max(lost, 0)} lost, {doubled} doubled{given_up}")
