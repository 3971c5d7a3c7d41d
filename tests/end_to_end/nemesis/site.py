"""Where the nodes of a run live: on hosts and disks of their own, or simply on this machine."""

import signal
import tempfile
from pathlib import Path

from cluster import Cluster
from nemesis.disks import Disk
from nemesis.history import now
from nemesis.network import Network, address_of, tool
from nemesis.plan import Plan
from nemesis.view import View
from node import Node, free_ports, program

NODES = (1, 2, 3)
# All is three times a few heartbeats, as in the other tests; segments are small so that there are
# many.
FLAGS = [
    "--isr-max-lag-ms", 1500, "--isr-check-interval-ms", 250, "--quorum-contact-ms", 1000,
    "--heartbeat-ms", 100, "--election-timeout-ms", 500, "--segment-bytes", 262144,
    "--min-isr-error", "exact", "--no-auto-create-topics",
]


class SiteNode(Node):
    """A node at an address of its own, whose every start is written into the history."""

    def __init__(self, site, node_id, host, ports, prefix=()):
        super().__init__(site, node_id, ports)
        self.host = host
        self._prefix = list(prefix)
        self.data = self.folder / "data"

    @property
    def address(self):
        return f"{self.host}:{self.kafka_port}"

    @property
    def http_address(self):
        return f"{self.host}:{self.http_port}"

    @property
    def url(self):
        return f"http://{self.http_address}"

    def command(self):
        return [
            *self._prefix, program(), "--node-id", self.id, "--listen", self.address,
            "--raft", f"{self.host}:{self.raft_port}", "--peers", self.cluster.peers,
            "--metrics", self.http_address, "--data", self.data, *self.cluster.flags,
        ]

    def state(self):
        """The letter that the kernel has for the process: "T" for stopped; "" if there is none."""
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return ""
        return stat.rpartition(")")[2].split()[0]

    def ended_by_kill(self):
        return self.process is not None and self.process.poll() == -signal.SIGKILL


class Site(Cluster):
    """A cluster for faults. `network` and `disks` are None where there are none to play with."""

    network = None
    disks = None

    def __init__(self, flags):  # pylint: disable=super-init-not-called
        self.flags = [*FLAGS, *flags]
        self.env = {}
        self._start = True
        self.nodes = []
        self.peers = ""
        self.history = None  # set by the driver
        self.view = View(self)

    def _add_nodes(self, nodes):
        self.nodes = nodes
        self.peers = ",".join(f"{node.id}={node.host}:{node.raft_port}" for node in nodes)

    def start_node(self, node):
        """Starts a node, and notes it: from then on it may know less than it showed before."""
        self.history.write("start", node=node.id, t=now())
        node.start()

    def repair(self):
        """Undoes whatever a fault may have left, wherever it ended."""
        for node in self.nodes:
            if self.network:
                self.network.heal(node.id)
                self.network.speed_up(node.id)
            if node.state() == "T":
                node.resume()
            if not node.running:
                if self.disks:
                    self.disks[node.id].remount()
                    self.disks[node.id].empty()
                self.start_node(node)

    def plan(self, seed):
        history = self.folder / "history"
        history.mkdir()
        return Plan(
            seed, str(history), {str(node.id): node.address for node in self.nodes},
            {str(node.id): node.http_address for node in self.nodes},
        )


class LoopbackSite(Site):
    """Three processes on this machine: they can be killed and paused, and that is all."""

    def __init__(self):
        super().__init__([])
        self.folder = Path(tempfile.mkdtemp(prefix="mini_broker-"))
        ports = free_ports(3 * len(NODES))
        self._add_nodes([
            SiteNode(self, node, "127.0.0.1", ports[3 * index:3 * index + 3])
            for index, node in enumerate(NODES)
        ])
        for node in self.nodes:
            node.folder.mkdir()


class PrivateSite(Site):
    """A host and a disk for each node, in namespaces of this process: they end when it does."""

    PORTS = (19092, 19192, 19090)

    def __init__(self, minutes):
        super().__init__(["--allow-non-loopback"])
        # In memory, so that the machine's own disk is neither worn nor in the way, and where
        # `ip netns` keeps its names. Only this process and its children see it.
        tool("mount", "-t", "tmpfs", "tmpfs", "/run")
        self.folder = Path("/run/nemesis")
        self.folder.mkdir()
        self.network = Network(NODES)
        self.disks = {node: Disk(self.folder, f"node-{node}", 64 + 16 * minutes) for node in NODES}
        self._add_nodes([
            SiteNode(self, node, address_of(node), self.PORTS, Network.enter(node))
            for node in NODES
        ])

    def close(self):
        for node in self.nodes:
            node.kill()
