"""A bridge with one host a node, and this process beside them; cuts between them by nftables.

This process must have a network and a mount namespace of its own (scripts/nemesis sees to that). So
nothing here has a name that another run could meet, and all of it goes with the last process.
"""

import json
import subprocess

from processes import eventually

BRIDGE = "br0"
TABLE = "inet faults"
_CHAINS = """
add table inet faults
flush table inet faults
delete table inet faults
table inet faults {
    chain from { type filter hook input priority 0; }
    chain to { type filter hook output priority 0; }
}
"""


def tool(*command, stdin=None):
    """Runs a command, and returns what it printed. RuntimeError with its errors if it fails."""
    done = subprocess.run(
        [str(part) for part in command], input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def address_of(node):
    return f"10.77.0.{node}"


class Network:
    """Hosts 10.77.0.1 and so on; this process is 10.77.0.100."""

    def __init__(self, nodes):
        tool("ip", "link", "set", "lo", "up")
        tool("ip", "link", "add", BRIDGE, "type", "bridge")
        tool("ip", "link", "set", BRIDGE, "up")
        tool("ip", "addr", "add", f"{address_of(100)}/24", "dev", BRIDGE)
        for node in nodes:
            self._add_host(node)

    @staticmethod
    def _add_host(node):
        name = f"n{node}"
        tool("ip", "netns", "add", name)
        tool("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        tool("ip", "link", "set", name, "master", BRIDGE, "up")
        tool("ip", "-n", name, "addr", "add", f"{address_of(node)}/24", "dev", "eth0")
        tool("ip", "-n", name, "link", "set", "eth0", "up")
        tool("ip", "-n", name, "link", "set", "lo", "up")

    @staticmethod
    def enter(node):
        """What a command must be preceded by to run on a node's host."""
        return ["nsenter", f"--net=/run/netns/n{node}", "--"]

    def cut(self, node, rules):
        """Drops what matches, on a node's host: [("from" or "to", nftables' expression)]."""
        text = _CHAINS + "".join(
            f"add rule {TABLE} {chain} {match} counter drop\n" for chain, match in rules
        )
        tool(*self.enter(node), "nft", "-f", "-", stdin=text)

    def heal(self, node):
        """Ends the cuts on a node's host. How many packets each of them dropped."""
        listed = json.loads(tool(*self.enter(node), "nft", "--json", "list", "ruleset"))
        dropped = [
            part["counter"]["packets"]
            for each in listed["nftables"] if "rule" in each
            for part in each["rule"]["expr"] if "counter" in part
        ]
        tool(*self.enter(node), "nft", "flush", "ruleset")
        return dropped

    def reaches(self, node, address, port, timeout=0.5):
        """Whether a connection from a node's host comes about."""
        done = subprocess.run(
            [*self.enter(node), "timeout", str(timeout), "bash", "-c",
             f"exec 3<>/dev/tcp/{address}/{port}"],
            stderr=subprocess.DEVNULL, check=False,
        )
        return done.returncode == 0

    def slow_down(self, node, rate):
        """Lets only so much through from a node's host, as "256kbit". What waits, waits long."""
        self._shape(node, "add", rate)

    def speed_up(self, node):
        """Ends that, once what had to wait is through. How many packets that were."""
        if self._shaper(node)["kind"] != "tbf":
            return 0
        # Without it, what waits would be lost, and TCP be slow to notice.
        self._shape(node, "change", "1gbit")
        eventually(lambda: self._shaper(node)["backlog"] == 0, 5, what="an empty queue")
        waited = self._shaper(node)["overlimits"]
        tool("tc", "-n", f"n{node}", "qdisc", "del", "dev", "eth0", "root")
        return waited

    @staticmethod
    def _shape(node, verb, rate):
        tool("tc", "-n", f"n{node}", "qdisc", verb, "dev", "eth0", "root", "handle", "1:", "tbf",
             "rate", rate, "burst", "4kb", "limit", "1mb")

    @staticmethod
    def _shaper(node):
        shown = tool("tc", "-n", f"n{node}", "-s", "-j", "qdisc", "show", "dev", "eth0")
        return json.loads(shown)[0]
