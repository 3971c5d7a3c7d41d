"""What the nodes say of the cluster, for the driver to aim its faults and to see their effect."""

import struct

import wire
from nemesis import wire_reads
from nemesis.plan import STRONG, WEAK, all_partitions
from nemesis.poller import isr_page
from processes import eventually

TIMEOUT = 1.0


def page_of(node):
    """A node's /api/isr, or {} if it says nothing."""
    if not node.running or node.state() == "T":
        return {}
    try:
        return isr_page(node.http_address, TIMEOUT)
    except (OSError, ValueError):
        return {}


def pages(site):
    return {node.id: page_of(node) for node in site.nodes}


def out_of_isr(site, target):
    """A text if some other node knows no partition any more that has the target in its ISR."""
    for node in site.nodes:
        page = page_of(node) if node is not target else {}
        if page and all(
            target.id not in each["isr"] and each["leader"] != target.id for each in page.values()
        ):
            return f"node {target.id} is in no ISR"
    return None


def some_isr_lacks(site, pair):
    """A text if some node leads a partition that has lost one of the pair."""
    for node in site.nodes:
        for part, each in page_of(node).items():
            missing = set(pair) - set(each["isr"])
            if each["leading"] and missing:
                return f"{part} of node {node.id} has lost {sorted(missing)}"
    return None


def leads_nothing(node):
    page = page_of(node)
    if page and not any(each["leading"] for each in page.values()):
        return f"node {node.id} leads nothing"
    return None


def converged(site):
    """Whether all nodes say the same of all partitions, and everybody is in sync."""
    said = list(pages(site).values())
    names = {f"{topic}-{number}" for topic, number in all_partitions()}
    first = said[0]
    everybody = [node.id for node in site.nodes]
    return set(first) == names and all(
        each["isr"] == everybody and (each["leader"], each["epoch"], each["version"]) == (
            other.get(part, {}).get("leader"), other.get(part, {}).get("epoch"),
            other.get(part, {}).get("version"))
        for other in said for part, each in first.items()
    ) and all(
        any(page[part]["leading"] for page in said if part in page) for part in first
    )


class View:
    """Whom to strike."""

    def __init__(self, site):
        self._site = site

    def metadata_leader(self):
        for node in self._site.running():
            try:
                with wire.Connection(node.address, TIMEOUT) as connection:
                    leader, _ = wire_reads.metadata(connection, [*STRONG, WEAK])
            except (OSError, struct.error):
                continue
            if leader > 0:
                return leader
        return None

    def leader_of(self, part):
        for page in pages(self._site).values():
            if page.get(part, {}).get("leading"):
                return page[part]["leader"]
        return None

    def choose(self, role, draw):
        """The ids of the nodes that a fault is for."""
        everybody = [node.id for node in self._site.nodes]
        if role == "all":
            return everybody
        if role == "any":
            return [draw.choice(everybody)]
        if role == "metadata":
            return [eventually(self.metadata_leader, 10, what="a leader of the metadata")]
        topic, number = draw.choice(all_partitions())
        part = f"{topic}-{number}"
        leader = eventually(lambda: self.leader_of(part), 10, what=f"a leader of {part}")
        if role == "leader":
            return [leader]
        return [draw.choice([node for node in everybody if node != leader])]
