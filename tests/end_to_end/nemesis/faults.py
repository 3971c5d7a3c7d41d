"""What the nemesis does to nodes. Each fault strikes, shows that it was real, and is healed.

`strike` may name the nodes of `self.nodes`; `seen` returns what was seen of it, or None as long as
nothing was; `heal` ends it, and raises Void if it shows by then that it never was a fault.
"""

import signal
import time

from nemesis.view import leads_nothing, out_of_isr
from processes import eventually


class Void(Exception):
    """A fault of which no effect was seen: it proves nothing."""


class Fault:
    """`role` says which node: "leader", "follower" (of a partition drawn by lot), "metadata" (the
    leader of the metadata), "any" or "all"."""

    needs = ()
    hold = (3.0, 5.0)  # seconds, at least and at most

    def __init__(self, site, role, draw):
        self.site = site
        self.nodes = [site.node(node) for node in site.view.choose(role, draw)]
        self.node = self.nodes[0]
        self.draw = draw

    def strike(self):
        raise NotImplementedError

    def seen(self):
        """Nobody waits for it any longer, and nobody follows it."""
        return out_of_isr(self.site, self.node)

    def heal(self):
        raise NotImplementedError


class Kill(Fault):
    """kill -9. The kernel keeps what the process has written: this says nothing about syncs."""

    def strike(self):
        self.node.kill()
        if not self.node.ended_by_kill():
            raise Void("it had ended before")

    def heal(self):
        self.site.start_node(self.node)


class Pause(Fault):
    """SIGSTOP: all of its timers are late at once when it goes on."""

    def strike(self):
        self.node.pause()
        eventually(lambda: self.node.state() == "T", 2, 0.01, "a process that is stopped")

    def heal(self):
        if self.node.state() != "T":
            raise Void("it was not stopped")
        self.node.resume()


class Stutter(Fault):
    """Stopped for a moment again and again: slow, but never gone."""

    hold = (4.0, 4.0)

    def strike(self):
        self.stops = 0

    def seen(self):
        self.node.pause()
        eventually(lambda: self.node.state() == "T", 2, 0.005, "a process that is stopped")
        time.sleep(0.15)
        self.node.resume()
        self.stops += 1
        return f"stopped {self.stops} times" if self.stops >= 10 else None

    def heal(self):
        if self.node.state() == "T":
            self.node.resume()


class LostQuorum(Fault):
    """One node is stopped, and another killed while it is: no partition has a majority."""

    def __init__(self, site, role, draw):
        super().__init__(site, role, draw)
        others = [node for node in site.nodes if node is not self.node]
        self.killed, self.survivor = draw.sample(others, 2)
        self.nodes = [self.node, self.killed]

    def strike(self):
        if leads_nothing(self.survivor):
            raise Void("there is nothing that the survivor could lose")
        self.node.pause()
        self.killed.kill()

    def seen(self):
        return leads_nothing(self.survivor)

    def heal(self):
        if self.node.state() != "T" or not self.killed.ended_by_kill():
            raise Void("it was not stopped")
        self.node.resume()
        self.site.start_node(self.killed)


class KillAll(Fault):
    """kill -9 of all at once."""

    def strike(self):
        for node in self.nodes:
            node.signal(signal.SIGKILL)
        for node in self.nodes:
            node.kill()

    def seen(self):
        return "all gone" if all(node.ended_by_kill() for node in self.nodes) else None

    def heal(self):
        for node in self.nodes:
            self.site.start_node(node)


class Restart(Fault):
    """SIGTERM: a controlled shutdown, one node after the other."""

    hold = (0.5, 1.0)

    def strike(self):
        status = self.node.terminate(10)
        if status != 0:
            raise Void(f"SIGTERM ended node {self.node.id} with {status}")

    def heal(self):
        self.site.start_node(self.node)
