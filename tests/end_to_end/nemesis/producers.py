"""The producers of a run, in one process: real clients, and one that shows refusals to the bit.

    python -m nemesis.producers PLAN
"""

import random
import sys
import threading
import time

from confluent_kafka import KafkaException, Producer

import wire
from nemesis.history import Writer, now
from nemesis.plan import WEAK, Plan, stop_by_sigterm, strong_partitions

TICK = 0.01
LONGEST_WAIT = 30  # seconds, for the last answers
PENDING_MAX = 300  # records of one producer to one partition that nobody has answered yet
# Answers after which nothing was appended. Only who sends a record once can say so: after 6 (not
# leader) librdkafka tries again, whatever it is told, and an earlier attempt may have had another
# fate. 6 itself says nothing: it also answers who led when the record came, and then lost the lead.
REFUSED = {wire.NOT_ENOUGH_REPLICAS}


class Sender:
    """One librdkafka producer, so many records a second to each of its partitions in turn."""

    def __init__(self, name, plan, history, partitions, rate, **settings):
        self._name = name
        self._history = history
        self._partitions = partitions
        self._rate = rate
        self._acks = settings.get("acks", "all")
        self._idempotent = settings.get("enable.idempotence", False)
        # With more requests on their way, it may number a record anew of which it knows nothing.
        self._once = self._idempotent and settings.get("max.in.flight") == 1
        self._pending = dict.fromkeys(partitions, 0)
        self._number = 0
        self._due = 0.0
        self._producer = Producer({
            "bootstrap.servers": plan.bootstrap, "linger.ms": 5, "acks": "all",
            "request.timeout.ms": 3000, "retry.backoff.ms": 50, "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 500, "topic.metadata.refresh.interval.ms": 2000,
            "socket.connection.setup.timeout.ms": 2000, "error_cb": self._on_error,
            "log_level": 0, **settings,
        })

    def _on_error(self, error):
        if error.fatal():
            self._history.write("fatal", proc=self._name, t=now(), err=error.str())

    def step(self, seconds):
        """Sends what is due after so many more seconds, and takes the answers."""
        self._due = min(self._due + seconds * self._rate, self._rate)
        while self._due >= 1:
            self._due -= 1
            self._send(self._partitions[self._number % len(self._partitions)])
        try:
            self._producer.poll(0)
        except KafkaException as fatal:
            self._history.write("fatal", proc=self._name, t=now(), err=str(fatal))

    def _send(self, partition):
        self._number += 1
        if self._pending[partition] >= PENDING_MAX:
            return
        value = f"{self._name}:{self._number}"
        start = now()

        def delivered(error, message):
            self._pending[partition] -= 1
            self._note(partition, value, start, error, message.offset())

        self._pending[partition] += 1
        try:
            self._producer.produce(
                partition[0], value, partition=partition[1], on_delivery=delivered
            )
        except (BufferError, KafkaException):
            self._pending[partition] -= 1

    def _note(self, partition, value, start, error, offset):
        entry = {"type": "ok", "off": offset}
        if error is not None:
            entry = {"type": "info", "err": error.name()}
        self._history.write(
            "send", proc=self._name, part=f"{partition[0]}-{partition[1]}", val=value, inv=start,
            ret=now(), acks=self._acks, idem=self._idempotent, once=self._once, **entry,
        )

    def finish(self, timeout):
        self._producer.flush(timeout)
        for (topic, number), pending in self._pending.items():
            if pending:
                self._history.write("fatal", proc=self._name, t=now(),
                                    err=f"{pending} records to {topic}-{number} never answered")


def probe_refusals(name, plan, history, stopped):
    """Single writes to any node, whether it leads or not, each on a connection of its own: the
    answer of the broker itself, before any client makes something else of it."""
    draw = random.Random(f"{plan.seed} {name}")
    number = 0
    while not stopped.wait(0.1):
        number += 1
        topic, partition = draw.choice(strong_partitions())
        value = f"{name}:{number}"
        start = now()
        try:
            with wire.Connection(draw.choice(list(plan.kafka.values())), timeout=3) as connection:
                error, offset = connection.produce(topic, [value], partition, timeout=2000)
            entry = {"type": "fail" if error in REFUSED else "info", "err": error}
            if error == wire.NONE:
                entry = {"type": "ok", "off": offset}
        except OSError as failure:
            entry = {"type": "info", "err": str(failure)}
        history.write("send", proc=name, part=f"{topic}-{partition}", val=value, inv=start,
                      ret=now(), acks="all", idem=False, once=False, **entry)


def main():
    plan = Plan.load(sys.argv[1])
    history = Writer(f"{plan.history}/producers.jsonl")
    stopped = stop_by_sigterm()
    strong = strong_partitions()
    idempotent = {"enable.idempotence": True, "message.timeout.ms": 60_000}
    once = {"retries": 0, "message.timeout.ms": 8000}
    senders = [
        Sender("i1", plan, history, strong, 120, **idempotent),
        Sender("i2", plan, history, strong[::-1], 120, **idempotent, **{"max.in.flight": 1}),
        Sender("a1", plan, history, strong, 60, **once),
        Sender("w1", plan, history, [(WEAK, 0)], 30, acks="1", **once),
    ]
    prober = threading.Thread(target=probe_refusals, args=("r1", plan, history, stopped))
    prober.start()
    last = time.monotonic()
    while not stopped.is_set():
        time.sleep(TICK)
        passed, last = time.monotonic() - last, time.monotonic()
        for sender in senders:
            sender.step(passed)
    prober.join()
    deadline = time.monotonic() + LONGEST_WAIT
    for sender in senders:
        sender.finish(max(0.1, deadline - time.monotonic()))
    history.close()


if __name__ == "__main__":
    main()
