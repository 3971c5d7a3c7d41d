"""A cluster of mini_broker processes on this machine, and the clients to ask it with.

    with Cluster(nodes=3) as cluster:
        cluster.create_topic("test", partitions=1, replicas=3)
        cluster.node(3).kill()
        cluster.await_isr("test", 0, {1, 2})

Everything lies in a temporary directory, on ports that were free, and is gone at the end. With
INSYNC_KEEP_LOGS set to a directory, the logs are copied there first. MINI_BROKER is the program to
run; else the newest that was built.
"""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from node import ROOT, Node, free_ports
from processes import eventually, run


class Cluster:
    """`flags` go to every node, `env` are the variables that are set for every node."""

    def __init__(self, nodes=3, flags=(), env=None, start=True):
        self.folder = Path(tempfile.mkdtemp(prefix="mini_broker-"))
        self.flags = list(flags)
        self.env = dict(env or {})
        ports = free_ports(3 * nodes)
        self.nodes = [
            Node(self, i + 1, ports[3 * i:3 * i + 3]) for i in range(nodes)
        ]
        self.peers = ",".join(f"{node.id}=127.0.0.1:{node.raft_port}" for node in self.nodes)
        self._start = start

    def __enter__(self):
        try:
            if self._start:
                self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        if error is not None and hasattr(error, "add_note"):
            error.add_note(self.report())
        self.close()

    def start(self):
        for node in self.nodes:
            node.start()
        self.await_ready()

    def close(self):
        for node in self.nodes:
            node.kill()
        kept = os.environ.get("INSYNC_KEEP_LOGS")
        if kept and self.folder.exists():
            target = Path(kept) / self.folder.name
            target.mkdir(parents=True, exist_ok=True)
            for node in self.nodes:
                if node.log_path.exists():
                    shutil.copy(node.log_path, target)
        shutil.rmtree(self.folder, ignore_errors=True)

    def node(self, node_id):
        return self.nodes[node_id - 1]

    def running(self):
        return [node for node in self.nodes if node.running]

    @property
    def bootstrap(self):
        """Every node's address, whether it runs or not."""
        return ",".join(node.address for node in self.nodes)

    def report(self):
        return "".join(node.log_tail() for node in self.nodes)

    def await_ready(self, timeout=60):
        """Until every node that was started answers /health, and each names all of them."""
        started = self.running()
        expected = {node.id for node in started}

        def is_ready():
            for node in started:
                if not node.running:
                    raise RuntimeError(f"node {node.id} has ended\n{node.log_tail()}")
            return all(node.health() for node in started) and all(
                expected <= set(self.brokers(node)) for node in started
            )

        try:
            eventually(is_ready, timeout, what="a cluster that is ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.report()}") from None

    # Clients

    def kcat(self, *arguments, stdin="", timeout=30, node=None):
        """kcat to all nodes, or to one."""
        address = node.address if node else self.bootstrap
        return run(["kcat", "-b", address, *arguments], stdin, timeout)

    def tool(self, name, *arguments, stdin="", timeout=90):
        """One of Kafka's own tools, given the servers."""
        return run(
            [ROOT / "scripts/kafka-tools", name, "--bootstrap-server", self.bootstrap, *arguments],
            stdin, timeout,
        )

    def curl(self, node, path, *arguments):
        return run(["curl", "--silent", "--show-error", *arguments, node.url + path])

    def metadata(self, topic=None, node=None):
        """What kcat -L says, as JSON. AssertionError if it says nothing."""
        chosen = ["-t", topic] if topic else []
        result = self.kcat("-L", "-J", "-m", "5", *chosen, node=node)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def brokers(self, node=None):
        return [broker["id"] for broker in self.metadata(node=node)["brokers"]]

    def partition(self, topic, number, node=None):
        """{'leader': 1, 'replicas': [1, 2, 3], 'isr': {1, 2}, 'error': None}, as one node says."""
        node = node or self.running()[0]
        for found in self.metadata(topic, node)["topics"]:
            for each in found["partitions"]:
                if found["topic"] == topic and each["partition"] == number:
                    return {
                        "leader": each["leader"],
                        "replicas": [replica["id"] for replica in each["replicas"]],
                        "isr": {replica["id"] for replica in each["isrs"]},
                        "error": each.get("error"),
                    }
        raise AssertionError(f"node {node.id} knows no {topic}-{number}")

    def create_topic(self, name, partitions=1, replicas=3, **configs):
        """By kafka-topics; dots of a config's name are written as underscores. Settled when it
        returns."""
        settings = []
        for config, value in configs.items():
            settings += ["--config", f"{config.replace('_', '.')}={value}"]
        result = self.tool(
            "kafka-topics", "--create", "--topic", name, "--partitions", partitions,
            "--replication-factor", replicas, *settings,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        self.await_settled(name)

    def describe(self, topic):
        """kafka-topics --describe: [{'partition': 0, 'leader': 1, 'replicas': .., 'isr': ..}]."""
        result = self.tool("kafka-topics", "--describe", "--topic", topic)
        assert result.returncode == 0, result.stdout + result.stderr
        return parse_description(result.stdout)

    def produce(self, topic, lines, *arguments, acks="all", timeout=30):
        """One record a line, by kcat."""
        text = "".join(f"{line}\n" for line in lines)
        return self.kcat(
            "-P", "-t", topic, "-X", f"acks={acks}", *arguments, stdin=text, timeout=timeout
        )

    def consume(self, topic, *arguments, partition=None, timeout=30, node=None):
        """Every record there is, one a line."""
        chosen = [] if partition is None else ["-p", str(partition)]
        # -E: or it ends when the first node that it tries is down.
        result = self.kcat(
            "-C", "-t", topic, "-o", "beginning", "-e", "-E", "-q", *chosen, *arguments,
            timeout=timeout, node=node,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout.splitlines()

    # Assertions that wait

    def await_isr(self, topic, partition, expected, timeout=30, nodes=None):
        """Until every running node (or the given ones) says that this is the ISR."""

        def all_agree():
            says = {
                node.id: self.partition(topic, partition, node)["isr"]
                for node in nodes or self.running()
            }
            assert all(isr == set(expected) for isr in says.values()), says
            return True

        eventually(all_agree, timeout, what=f"ISR {sorted(expected)} of {topic}-{partition}")

    def await_settled(self, topic, timeout=60):
        """Until every running node says that all replicas are in sync, and the first one leads.
        Now and then another one wins the first election, and hands over seconds later."""

        def is_settled():
            for node in self.running():
                for found in self.metadata(topic, node)["topics"]:
                    assert found["partitions"], found
                    for each in found["partitions"]:
                        replicas = [replica["id"] for replica in each["replicas"]]
                        isr = {replica["id"] for replica in each["isrs"]}
                        assert each["leader"] == replicas[0] and isr == set(replicas), each
            return True

        eventually(is_settled, timeout, what=f"{topic} led by its first replicas")

    def await_leader(self, topic, partition, among=None, timeout=30):
        """Until every running node names the same leader, one of `among`; returns its id."""
        allowed = set(among) if among is not None else {node.id for node in self.running()}

        def agreed():
            says = {
                self.partition(topic, partition, node)["leader"] for node in self.running()
            }
            assert len(says) == 1 and says <= allowed, says
            return says.pop()

        return eventually(agreed, timeout, what=f"a leader of {topic}-{partition}")

    def await_metric(self, node, name, expected, timeout=30, **labels):
        """Until a metric of a node has a value, or one for which `expected` returns true."""

        def has_it():
            value = node.metric(name, **labels)
            fits = value is not None and (
                expected(value) if callable(expected) else value == expected
            )
            assert fits, f"{name} is {value}"
            return True

        eventually(has_it, timeout, what=f"{name} on node {node.id}")


def parse_description(text):
    """The partitions that `kafka-topics --describe` lists."""

    def ids(numbers):
        return [int(number) for number in numbers.split(",") if number]

    expression = re.compile(
        r"^\tTopic: (\S+)\tPartition: (\d+)\tLeader: (\S+)\tReplicas: (\S*)\tIsr: (\S*)", re.M
    )
    return [
        {
            "topic": topic, "partition": int(number),
            "leader": None if leader == "none" else int(leader),
            "replicas": ids(replicas), "isr": ids(isr),
        }
        for topic, number, leader, replicas, isr in expression.findall(text)
    ]
