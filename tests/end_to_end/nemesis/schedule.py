"""Which faults a run has, in which order."""

import functools

from nemesis import disk_faults, faults, network_faults

# (name, fault, role); the order is drawn by lot.
KINDS = [
    ("kill leader", faults.Kill, "leader"),
    ("kill follower", faults.Kill, "follower"),
    ("kill metadata leader", faults.Kill, "metadata"),
    ("kill all", faults.KillAll, "all"),
    ("pause leader", faults.Pause, "leader"),
    ("pause follower", faults.Pause, "follower"),
    ("pause metadata leader", faults.Pause, "metadata"),
    ("stutter", faults.Stutter, "any"),
    ("pause one and kill another", faults.LostQuorum, "any"),
    ("isolate leader", network_faults.Isolate, "leader"),
    ("isolate metadata leader", network_faults.Isolate, "metadata"),
    ("deaf", network_faults.Deaf, "leader"),
    ("mute", network_faults.Mute, "leader"),
    ("one way", network_faults.OneWay, "any"),
    ("bridge", network_faults.Bridge, "any"),
    ("cut off from nodes only", network_faults.NodesOnly, "leader"),
    ("cut off from clients only", network_faults.ClientsOnly, "leader"),
    ("slow line", network_faults.SlowLine, "follower"),
    ("power loss of leader", disk_faults.PowerLoss, "leader"),
    ("power loss of follower", disk_faults.PowerLoss, "follower"),
    ("power loss of all", disk_faults.PowerLoss, "all"),
    ("failed disk", disk_faults.FailedDisk, "any"),
    ("full disk", disk_faults.FullDisk, "any"),
]


def kinds_for(site):
    """Those that this site can have."""
    had = {"network": site.network, "disks": site.disks}
    return [kind for kind in KINDS if all(had[need] for need in kind[1].needs)]


def schedule(site, draw):
    """Yields (name, function that makes the fault) without end: each kind once in an order drawn by
    lot, and then again."""
    kinds = kinds_for(site)
    while True:
        for name, fault, role in draw.sample(kinds, len(kinds)):
            yield name, functools.partial(make, fault, role)


def make(fault, role, site, draw):
    return fault(site, role, draw)


def rolling_restart(site):
    """A restart of each node in turn."""
    for node in site.nodes:
        yield "SIGTERM", functools.partial(restart, node)


def restart(node, site, draw):
    fault = faults.Restart(site, "any", draw)
    fault.node = node
    fault.nodes = [node]
    return fault
