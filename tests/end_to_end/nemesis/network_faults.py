"""Cuts between nodes, and a slow line."""

from nemesis.faults import Fault, Void
from nemesis.network import address_of
from nemesis.view import some_isr_lacks


def addresses(nodes):
    return "{ " + ", ".join(address_of(node.id) for node in nodes) + " }"


class Cut(Fault):
    """Drops what `rules` match, on the node's host."""

    needs = ("network",)

    def rules(self):
        raise NotImplementedError

    def others(self):
        return [node for node in self.site.nodes if node is not self.node]

    def strike(self):
        self.site.network.cut(self.node.id, self.rules())

    def heal(self):
        dropped = self.site.network.heal(self.node.id)
        if not all(dropped):
            raise Void(f"packets dropped by each rule: {dropped}")
        self.dropped = sum(dropped)


class Isolate(Cut):
    """Nothing comes to it and nothing leaves it, clients included."""

    def rules(self):
        return [("from", 'iifname "eth0"'), ("to", 'oifname "eth0"')]


class Deaf(Cut):
    """It reaches the others, and hears none of them; clients reach it."""

    def rules(self):
        return [("from", f"ip saddr {addresses(self.others())}")]


class Mute(Cut):
    """It hears the others, and reaches none of them; clients reach it."""

    def rules(self):
        return [("to", f"ip daddr {addresses(self.others())}")]


class NodesOnly(Cut):
    """The nodes' own port is cut: clients reach a node that no other node reaches."""

    def rules(self):
        port = self.node.raft_port
        return [
            (chain, f"tcp {end} {port}") for chain in ("from", "to") for end in ("sport", "dport")
        ]

    def heal(self):
        # Whether a link runs from here to there, or the other way, is the nodes' own affair.
        dropped = self.site.network.heal(self.node.id)
        if not any(dropped[:2]) or not any(dropped[2:]):
            raise Void(f"packets dropped by each rule: {dropped}")
        self.dropped = sum(dropped)


class ClientsOnly(Cut):
    """The clients' port is cut: the nodes go on with a node that no client reaches."""

    def rules(self):
        return [("from", f"tcp dport {self.node.kafka_port}")]

    def seen(self):
        port = self.node.kafka_port
        other = self.others()[0]
        reaches = self.site.network.reaches
        if not reaches(other.id, self.node.host, port) and reaches(
            self.node.id, other.host, port
        ):
            return f"nobody reaches port {port} of node {self.node.id}"
        return None


class OneWay(Cut):
    """What one node sends to one other is lost; all else arrives."""

    def strike(self):
        self.peer = self.draw.choice(self.others())
        super().strike()

    def rules(self):
        return [("from", f"ip saddr {address_of(self.peer.id)}")]

    def seen(self):
        return some_isr_lacks(self.site, (self.node.id, self.peer.id))


class Bridge(OneWay):
    """Two nodes do not reach each other, and the third reaches both."""

    def rules(self):
        return [(chain, f"ip {end} {address_of(self.peer.id)}")
                for chain, end in (("from", "saddr"), ("to", "daddr"))]

    def seen(self):
        lacks = super().seen()
        if lacks is None:
            return None
        reaches = self.site.network.reaches
        (third,) = [node for node in self.others() if node is not self.peer]
        here, there, other = ((each.host, each.kafka_port)
                              for each in (self.node, self.peer, third))
        met = [reaches(self.node.id, *there), reaches(self.peer.id, *here),
               reaches(self.node.id, *other), reaches(self.peer.id, *other)]
        return lacks if met == [False, False, True, True] else None


class SlowLine(Fault):
    """Little gets through from a node, and late."""

    needs = ("network",)
    RATE = "256kbit"

    def strike(self):
        self.site.network.slow_down(self.node.id, self.RATE)

    def seen(self):
        return "slow"

    def heal(self):
        waited = self.site.network.speed_up(self.node.id)
        if waited < 10:
            raise Void(f"only {waited} packets had to wait")
