"""The clients in other languages, each a program with the same verbs (clients/):

    PROGRAM HOST:PORT,... VERB ARGUMENT...

    create TOPIC PARTITIONS REPLICAS MIN_ISR
    alter TOPIC PARTITIONS MIN_ISR
    describe TOPIC                        {"partitions": [{"partition", "leader", "replicas",
                                          "isr"}], "min_isr": "2"}; of an unknown topic no partition
    delete TOPIC
    produce TOPIC ACKS CODEC idempotent|plain
                                          each line of stdin, as key and value: {"value"}, with
                                          "error" if it was given up; ends when all is known
    consume TOPIC                         all there is by now: {"partition", "offset", "value"}
    join GROUP TOPIC                      as a member, until stdin ends: the same, and {"assigned":
                                          [0, 1]} at each change; commits when it leaves

What a program says is a line of JSON on stdout. It ends with 0, or with why not on stderr.
"""

import collections
import json
import os
import subprocess
import threading

from node import ROOT
from processes import kill_group, run, spawn

SOURCES = ROOT / "tests/end_to_end/clients"
BUILT = ROOT / "build/clients"
UNAVAILABLE = 69
DELIVERY_SECONDS = 60

# What became of what a producer was given: how many records it was told are written, how many it
# gave up, and all that it said of troubles.
Outcome = collections.namedtuple("Outcome", "acknowledged failed said")


class Piped:
    """A process that is fed and heard meanwhile."""

    def __init__(self, command, env=None):
        self.process = spawn(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=None if env is None else {**os.environ, **env},
        )
        self.values = []
        self.out = []
        self.errors = []
        streams = ((self.out, self.process.stdout), (self.errors, self.process.stderr))
        self._readers = [
            threading.Thread(target=lines.extend, args=[stream])
            for lines, stream in streams
        ]
        for reader in self._readers:
            reader.start()

    def line(self, value):
        """What a value is fed as."""
        return value

    def send(self, values):
        self.process.stdin.write("".join(f"{self.line(value)}\n" for value in values))
        self.process.stdin.flush()
        self.values.extend(values)

    def finish(self, timeout=DELIVERY_SECONDS + 10, signal=None):
        """Asks it to end, by the end of its stdin or by a signal, and waits. Its exit status, or
        what went wrong."""
        try:
            if signal is not None:
                self.process.send_signal(signal)
            self.process.stdin.close()
            status = self.process.wait(timeout)
        except (subprocess.TimeoutExpired, BrokenPipeError) as error:
            status = repr(error)
        finally:
            self.close()
        return status

    def close(self):
        kill_group(self.process)
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass


class Producer(Piped):
    """The verb `produce`."""

    def outcome(self):
        """What became of it all, when all is known."""
        status = self.finish()
        said = "".join(self.errors)
        assert status == 0, f"{status}: {said}"
        answers = [json.loads(line) for line in self.out]
        failed = [answer for answer in answers if "error" in answer]
        troubles = {answer["error"] for answer in failed}
        return Outcome(len(answers) - len(failed), len(failed), f"{said}{troubles or ''}")


class Member(Piped):
    """The verb `join`."""

    def _said(self, name):
        return [said for said in map(json.loads, list(self.out)) if name in said]

    def assigned(self):
        """The partitions that are its own by now."""
        changes = self._said("assigned")
        return set(changes[-1]["assigned"]) if changes else set()

    def records(self):
        """Each (partition, value) it has read."""
        return [(each["partition"], each["value"]) for each in self._said("value")]

    def leave(self):
        status = self.finish(timeout=30)
        assert status == 0, f"{status}: {''.join(self.errors)}"


class Program:
    """One of them, for one cluster."""

    codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
    # What is stored if the user chooses nothing.
    default_codec = "none"
    # Whether it changes topics; not every client does.
    has_admin = True
    env = None

    def __init__(self, cluster):
        self.cluster = cluster

    @classmethod
    def unavailable(cls):
        """Why it cannot be had on this machine; None if it can. Prepares it."""
        done = run([ROOT / "scripts/client-libraries", cls.language], timeout=240)
        if done.returncode == UNAVAILABLE:
            return done.stderr.strip()
        assert done.returncode == 0, done.stderr
        return None

    def _command(self, verb, *arguments):
        return [*self.program, self.cluster.bootstrap, verb, *map(str, arguments)]

    def _run(self, verb, *arguments):
        """What it says."""
        done = run(self._command(verb, *arguments), env=self.env)
        assert done.returncode == 0, f"{verb}: {done.returncode} {done.stderr}"
        return [json.loads(line) for line in done.stdout.splitlines()]

    def create(self, topic, partitions, min_isr):
        self._run("create", topic, partitions, 3, min_isr)

    def alter(self, topic, partitions, min_isr):
        self._run("alter", topic, partitions, min_isr)

    def describe(self, topic):
        """(ISR of each partition, min.insync.replicas); of no topic ([], "")."""
        (said,) = self._run("describe", topic)
        return [set(each["isr"]) for each in said["partitions"]], said["min_isr"]

    def delete(self, topic):
        self._run("delete", topic)

    def producer(self, topic, acks="all", codec="none", idempotent=False):
        mode = "idempotent" if idempotent else "plain"
        return Producer(self._command("produce", topic, acks, codec, mode), self.env)

    def consume(self, topic):
        """Each (partition, value), those of a partition in order."""
        return [(each["partition"], each["value"]) for each in self._run("consume", topic)]

    def join(self, group, topic):
        return Member(self._command("join", group, topic), self.env)

    def assignments(self, _group, members):
        """The partitions of each member."""
        return [member.assigned() for member in members]


class ConfluentKafka(Program):
    language = "python"
    program = [BUILT / "python/bin/python", SOURCES / "python/client.py"]


class KafkaJs(Program):
    language = "javascript"
    program = ["node", SOURCES / "javascript/client.js"]
    env = {"NODE_PATH": str(BUILT / "javascript/node_modules")}
    codecs = ["none", "gzip"]


class FranzGo(Program):
    language = "go"
    program = [BUILT / "go/client"]
    default_codec = "snappy"
