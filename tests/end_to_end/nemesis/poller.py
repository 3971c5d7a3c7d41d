"""Asks every node, a few times a second, what it thinks of the partitions.

    python -m nemesis.poller PLAN
"""

import json
import struct
import sys
import threading
import urllib.request

import wire
from nemesis import wire_reads
from nemesis.history import Writer, now
from nemesis.plan import STRONG, WEAK, Plan, all_partitions, stop_by_sigterm

PERIOD = 0.2  # seconds
TIMEOUT = 1.0
# The nodes' addresses mean nothing to a proxy that this shell may have set.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def isr_page(address, timeout=TIMEOUT):
    """{part: {leader, epoch, version, isr, min, leading}} as one node says. OSError if it does
    not."""
    with _open(f"http://{address}/api/isr", timeout=timeout) as answer:
        page = json.load(answer)
    return {
        f"{each['topic']}-{each['partition']}": {
            "leader": each["leader"], "epoch": each["epoch"], "version": each["version"],
            "isr": each["isr"], "min": each["min_isr"], "leading": each["leading"],
        }
        for each in page["partitions"]
    }


class NodePoller:
    """Asks one node."""

    def __init__(self, node, plan, history):
        self._node = int(node)
        self._kafka = plan.kafka[node]
        self._http = plan.http[node]
        self._history = history
        self._connection = None
        self._before = {}

    def run(self, stopped):
        while not stopped.wait(PERIOD):
            try:
                self._ask_once()
            except (OSError, ValueError, struct.error):
                self._drop()

    def _drop(self):
        self._before = {}
        if self._connection is not None:
            self._connection.__exit__()
            self._connection = None

    def _ask_once(self):
        if self._connection is None:
            self._connection = wire.Connection(self._kafka, TIMEOUT)
        start = now()
        _, partitions = wire_reads.metadata(self._connection, [*STRONG, WEAK])
        self._history.write("metadata", node=self._node, inv=start, ret=now(), parts=partitions)
        start = now()
        ends = wire_reads.list_ends(self._connection, all_partitions())
        end = now()
        after = self._isr()
        self._history.write("hw", node=self._node, inv=start, ret=end, ends={
            part: [offset, epoch, self._led(part, epoch, after)]
            for part, (error, offset, epoch) in ends.items() if error == wire.NONE
        })
        self._before = after

    def _isr(self):
        start = now()
        page = isr_page(self._http)
        self._history.write("isr", node=self._node, inv=start, ret=now(), parts=page)
        return page

    def _led(self, part, epoch, after):
        return all(
            page.get(part, {}).get("leading", False) and page[part]["epoch"] == epoch
            for page in (self._before, after)
        )


def main():
    plan = Plan.load(sys.argv[1])
    history = Writer(f"{plan.history}/poller.jsonl")
    stopped = stop_by_sigterm()
    threads = [
        threading.Thread(target=NodePoller(node, plan, history).run, args=(stopped,))
        for node in plan.kafka
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history.close()


if __name__ == "__main__":
    main()
