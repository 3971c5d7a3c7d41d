"""The consumers of a run, in one process: assigned, so that nothing but the log decides what they
read. Two from the beginning, one from the end.

    python -m nemesis.consumers PLAN
"""

import sys
import threading
import time

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, TopicPartition

from nemesis.history import Writer, now
from nemesis.plan import Plan, all_partitions, stop_by_sigterm

LONGEST_WAIT = 30  # seconds, to come to the end


class Reader:
    """One consumer of all partitions; `run` returns when it is told to stop and has read all."""

    def __init__(self, name, plan, history, start):
        self._name = name
        self._history = history
        self._position = dict.fromkeys(all_partitions(), start)
        self._at_end = set()
        self._consumer = Consumer({
            "bootstrap.servers": plan.bootstrap, "group.id": name, "enable.auto.commit": False,
            "auto.offset.reset": "error", "enable.partition.eof": True, "fetch.wait.max.ms": 100,
            "fetch.error.backoff.ms": 50, "reconnect.backoff.ms": 50, "log_level": 0,
            "reconnect.backoff.max.ms": 500, "topic.metadata.refresh.interval.ms": 2000,
            "socket.timeout.ms": 5000, "socket.connection.setup.timeout.ms": 2000,
        })
        place = "beginning" if start == OFFSET_BEGINNING else "end"
        history.write("consumer", proc=name, t=now(), **{"from": place})
        self._assign()

    def _assign(self):
        self._at_end.clear()
        self._consumer.assign([
            TopicPartition(topic, number, offset)
            for (topic, number), offset in self._position.items()
        ])

    def run(self, stopped):
        while not stopped.is_set():
            self._take()
        self._assign()  # whatever end was seen before may not be the last
        deadline = time.monotonic() + LONGEST_WAIT
        while len(self._at_end) < len(self._position) and time.monotonic() < deadline:
            self._take()
        for topic, number in set(self._position) - self._at_end:
            self._history.write("fatal", proc=self._name, t=now(),
                                err=f"did not come to the end of {topic}-{number}")
        self._history.write("consumer", proc=self._name, t=now(), end=True)
        self._consumer.close()

    def _take(self):
        got = {}
        broken = False
        for message in self._consumer.consume(500, 0.2):
            partition = (message.topic(), message.partition())
            error = message.error()
            if error is None:
                got.setdefault(partition, []).append((message.offset(), message.value().decode()))
                self._position[partition] = message.offset() + 1
                self._at_end.discard(partition)
            elif error.code() == KafkaError._PARTITION_EOF:  # pylint: disable=protected-access
                self._at_end.add(partition)
            elif error.code() in (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET):
                # There was a record just before, so this place is in range on any right node.
                place = f"{partition} at {self._position[partition]}"
                self._history.write("fatal", proc=self._name, t=now(),
                                    err=f"{place}: {error.str()}")
                broken = True
        for (topic, number), records in got.items():
            self._history.write("read", proc=self._name, part=f"{topic}-{number}", t=now(),
                                recs=records)
        if broken:
            self._assign()


def main():
    plan = Plan.load(sys.argv[1])
    history = Writer(f"{plan.history}/consumers.jsonl")
    stopped = stop_by_sigterm()
    starts = {"c1": OFFSET_BEGINNING, "c2": OFFSET_BEGINNING, "t1": OFFSET_END}
    readers = [Reader(name, plan, history, start) for name, start in starts.items()]
    threads = [threading.Thread(target=reader.run, args=(stopped,)) for reader in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history.close()


if __name__ == "__main__":
    main()
