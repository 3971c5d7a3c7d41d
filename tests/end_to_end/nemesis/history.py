"""What happened in a run, as JSON lines: one file a process, put together and read at the end.

Times are nanoseconds of the machine's monotonic clock, which all processes of a run share. `part`
is a partition, as "topic-0". What `f` may be:

    send      a producer's record: proc, part, val, inv and ret (before the call, after the answer),
              acks, idem (in order), once, type ("ok": acknowledged, with `off`; "fail":
              definitely not appended; "info": nobody can say) and err
    read      what a consumer got at once: proc, part, t, recs [[offset, value], ...]
    consumer  a consumer began ("from": beginning or end), or came to the end ("end")
    final     all that one node holds at the end: node, part, recs, and ids, the producers' own
              numbers of the records, "" where there is none
Times are nanoseconds of the machine's monotonic clock, which all processes share. `part` is
              says that the node led in that epoch before and after the question
    isr       /api/isr of one node: node, inv, ret, parts {part: {leader, epoch, version, isr, min,
              leading}}
    metadata  Metadata of one node: node, inv, ret, parts {part: [leader, isr]}
    start     a node's process was started: node, t
    fault, healed, calm, end    what the driver did: t, and more to read
    fatal     a client that cannot go on, or an answer that no broker may give: proc, err
"""

import json
import threading
import time
from pathlib import Path


def now():
    return time.monotonic_ns()


class Writer:
    """Appends entries to one file; any thread may."""

    def __init__(self, path):
        self._file = Path(path).open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, f, **entry):
        line = json.dumps({"f": f, **entry}, separators=(",", ":")) + "\n"
        with self._lock:
            self._file.write(line)
            if f in ("fatal", "consumer"):
                self._file.flush()  # its process may hang, and be killed

    def close(self):
        with self._lock:
            self._file.close()


def load(folder):
    """Every entry of a run's files. A last line that was cut off by a kill is left out."""
    entries = []
    for path in sorted(Path(folder).glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    entries.append(json.loads(line))
    return entries
