"""kcat and Kafka's own tools as clients like those of client_programs.py."""

import re
import signal

from client_programs import DELIVERY_SECONDS, Member, Outcome, Piped, Program
from cluster import parse_description
from node import ROOT
from processes import run


class KeyedLines(Piped):
    """Is fed with "KEY:VALUE", which are the same."""

    def line(self, value):
        return f"{value}:{value}"


class KcatProducer(KeyedLines):
    def outcome(self):
        status = self.finish()
        said = [line for line in self.errors if "Message delivered" not in line]
        failed = sum("Delivery failed" in line for line in said)
        assert status == 0 or failed, f"{status}: {''.join(said)}"
        return Outcome(len(self.errors) - len(said), failed, "".join(said))


def partition_and_value(line):
    """Of "PARTITION VALUE", as kcat is told to print it, or "Partition:PARTITION\tVALUE"."""
    partition, value = re.fullmatch(r"(?:Partition:)?(\d+)\s(.*)\n?", line).groups()
    return int(partition), value


class LineMember(Member):
    """Prints records only, and leaves at SIGTERM."""

    def records(self):
        return [partition_and_value(line) for line in list(self.out)]

    def leave(self):
        status = self.finish(timeout=30, signal=signal.SIGTERM)
        assert status in self.good_byes, f"{status}: {''.join(self.errors)}"


class KcatMember(LineMember):
    good_byes = [0]

    def assigned(self):
        changes = [line for line in list(self.errors) if "rebalanced" in line]
        return set(map(int, re.findall(r"\[(\d+)\]", changes[-1]))) if changes else set()


class Kcat(Program):
    """Neither creates topics by itself nor alters them: Kafka's tools do."""

    has_admin = False

    @classmethod
    def unavailable(cls):
        return None

    def _command(self, *arguments):
        return ["kcat", "-b", self.cluster.bootstrap, *arguments]

    def create(self, topic, partitions, min_isr):
        self.cluster.create_topic(topic, partitions, 3, min_insync_replicas=min_isr)

    def producer(self, topic, acks="all", codec="none", idempotent=False):
        properties = {
            "acks": acks, "enable.idempotence": "true" if idempotent else "false",
            "message.timeout.ms": DELIVERY_SECONDS * 1000, "linger.ms": 5,
        }
        chosen = [] if codec == "default" else ["-z", codec]
        # -E, as else it ends when it happens to be connected to nobody.
        return KcatProducer(self._command(
            "-P", "-t", topic, "-K:", "-vv", "-E", *chosen,
            *[part for name, value in properties.items() for part in ("-X", f"{name}={value}")],
        ))

    def consume(self, topic):
        return list(map(partition_and_value, self.cluster.consume(topic, "-f", "%p %s\\n")))

    def join(self, group, topic):
        return KcatMember(self._command(
            "-G", group, "-u", "-f", "%p %s\\n", "-X", "auto.offset.reset=earliest",
            "-X", "heartbeat.interval.ms=500", "-X", "session.timeout.ms=10000", topic,
        ))


class ConsoleProducer(KeyedLines):
    def outcome(self):
        status = self.finish()
        said = "".join(self.errors)
        assert status == 0, f"{status}: {said}"
        failed = said.count("ErrorLoggingCallback")
        return Outcome(len(self.values) - failed, failed, said)


class ConsoleMember(LineMember):
    good_byes = [128 + signal.SIGTERM]


# Before a record, its key, which is the record again.
KEYS = ["--property", "parse.key=true", "--property", "key.separator=:"]


class KafkaTools(Program):
    """Kafka's command line tools, of one version."""

    version = None

    def __init__(self, cluster):
        super().__init__(cluster)
        self.env = {"KAFKA_TOOLS": self.version}

    @classmethod
    def unavailable(cls):
        return None

    def command(self, name, *arguments):
        return [
            ROOT / "scripts/kafka-tools", name, "--bootstrap-server", self.cluster.bootstrap,
            *map(str, arguments),
        ]

    def tool(self, name, *arguments):
        """The output of one that must succeed."""
        return self._output(self.command(name, *arguments))

    def tool_without_servers(self, name, *arguments):
        """The same of one that is told the servers in its own way."""
        return self._output([ROOT / "scripts/kafka-tools", name, *map(str, arguments)])

    def _output(self, command):
        done = run(command, timeout=90, env=self.env)
        assert done.returncode == 0, f"{command[1]}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout

    def create(self, topic, partitions, min_isr):
        said = self.tool(
            "kafka-topics", "--create", "--topic", topic, "--partitions", partitions,
            "--replication-factor", 3, "--config", f"min.insync.replicas={min_isr}",
        )
        assert said == f"Created topic {topic}.\n", said

    def alter(self, topic, partitions, min_isr):
        self.tool("kafka-topics", "--alter", "--topic", topic, "--partitions", partitions)
        said = self.tool(
            "kafka-configs", "--alter", "--entity-type", "topics", "--entity-name", topic,
            "--add-config", f"min.insync.replicas={min_isr}",
        )
        assert said == f"Completed updating config for topic {topic}.\n", said

    def describe(self, topic):
        done = run(
            self.command("kafka-topics", "--describe", "--topic", topic), timeout=90, env=self.env
        )
        if "does not exist as expected" in done.stdout:
            return [], ""
        assert done.returncode == 0, done.stderr
        found = parse_description(done.stdout)
        (min_isr,) = re.findall(r"Configs: .*min\.insync\.replicas=(\d+)", done.stdout)
        return [set(each["isr"]) for each in found], min_isr

    def delete(self, topic):
        self.tool("kafka-topics", "--delete", "--topic", topic)

    def producer(self, topic, acks="all", codec="none", idempotent=False):
        properties = {
            "enable.idempotence": "true" if idempotent else "false", "linger.ms": 5,
            "delivery.timeout.ms": DELIVERY_SECONDS * 1000, "retries": 2**31 - 1,
            "reconnect.backoff.max.ms": 200,
        }
        chosen = [] if codec == "default" else ["--compression-codec", codec]
        return ConsoleProducer(
            self.command(
                "kafka-console-producer", "--topic", topic, "--request-required-acks", acks,
                *chosen, *KEYS,
                *[part for name, value in properties.items()
                  for part in ("--producer-property", f"{name}={value}")],
            ),
            self.env,
        )

    def _reader(self, topic, *arguments):
        return self.command(
            "kafka-console-consumer", "--topic", topic, "--from-beginning",
            "--property", "print.partition=true", *arguments,
        )

    def offsets(self, topic):
        """The end of each partition: {0: 20}."""
        said = self.tool("kafka-get-offsets", "--topic", topic)
        lines = re.findall(rf"^{topic}:(\d+):(\d+)$", said, re.M)
        return {int(partition): int(offset) for partition, offset in lines}

    def consume(self, topic):
        count = sum(self.offsets(topic).values())
        said = self._output(
            self._reader(topic, "--max-messages", count, "--timeout-ms", 30_000)
        )
        return list(map(partition_and_value, said.splitlines()))

    def join(self, group, topic):
        prompt = ["--consumer-property", "heartbeat.interval.ms=500"]
        member = ConsoleMember(self._reader(topic, "--group", group, *prompt), self.env)
        member.topic = topic
        return member

    def members(self, group):
        """What kafka-consumer-groups says of them."""
        return self.tool(
            "kafka-consumer-groups", "--describe", "--group", group, "--members", "--verbose"
        )

    def assignments(self, group, members):
        # "TOPIC:0,1" in 4.1, "(0,1)" in 3.9.
        expression = rf"\s(?:{members[0].topic}:|\()([\d,]+)"
        found = re.findall(expression, self.members(group))
        return [set(map(int, each.split(","))) for each in found]


class KafkaTools41(KafkaTools):
    version = "4.1"


class KafkaTools39(KafkaTools):
    version = "3.9"
