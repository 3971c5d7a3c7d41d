"""Power cuts, disks that fail and disks that are full."""

from nemesis.faults import Fault, Void
from nemesis.view import out_of_isr


class PowerLoss(Fault):
    """kill -9, and what was not synced is gone: of one node or of all at the same time."""

    needs = ("disks",)

    def strike(self):
        disks = [self.site.disks[node.id] for node in self.nodes]
        for disk in disks:
            disk.write_canaries()
        for disk in disks:
            disk.shut_down()
        for node in self.nodes:
            node.kill()
        for node, disk in zip(self.nodes, disks):
            disk.remount()
            left = disk.canaries()
            if left["lost"] or not left["kept"]:
                raise Void(f"of two files on node {node.id}, one synced, there is left: {left}")

    def seen(self):
        if len(self.nodes) > 1:
            return "what was not synced is gone on all nodes"
        return out_of_isr(self.site, self.node)

    def heal(self):
        for node in self.nodes:
            self.site.start_node(node)


class FailedDisk(Fault):
    """The disk of a node that runs fails: it must end by itself, and soon."""

    needs = ("disks",)
    SOON = 2  # seconds

    def strike(self):
        self.site.disks[self.node.id].shut_down()
        self.status = self.node.wait(self.SOON)

    def seen(self):
        return out_of_isr(self.site, self.node)

    def heal(self):
        if self.status == 0:
            raise Void("it ended as if nothing had happened")
        self.site.disks[self.node.id].remount()
        self.site.start_node(self.node)


class FullDisk(Fault):
    """There is no room left: a node must end, and begin again once there is."""

    needs = ("disks",)
    SOON = 15  # seconds, as what is left of its last blocks has to be written full first

    def strike(self):
        self.site.disks[self.node.id].fill()
        self.status = self.node.wait(self.SOON)

    def seen(self):
        return out_of_isr(self.site, self.node)

    def heal(self):
        if self.status == 0 or "No space left" not in self.node.log_tail():
            raise Void(f"it ended with {self.status}\n{self.node.log_tail()}")
        self.site.disks[self.node.id].empty()
        self.site.start_node(self.node)
