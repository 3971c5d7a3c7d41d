"""A history, sorted by what is asked of it."""

from collections import defaultdict
from dataclasses import dataclass

@dataclass(frozen=True)
class Violation:
    """A promise that was broken; `kind` names the promise."""

    kind: str
    text: str


class Facts:
    """`held` is {node: {part: {offset: value}}} of the final reads, `log` the same of all nodes
    together: what they hold is the same, or there is a violation. `ids` is {part: {offset:
    producer's number}}."""

    def __init__(self, history):
        by_kind = defaultdict(list)
        for entry in history:
            by_kind[entry["f"]].append(entry)
        self.sends = by_kind["send"]
        self.reads = sorted(by_kind["read"], key=lambda entry: entry["t"])
        self.consumers = by_kind["consumer"]
        self.polls = {name: sorted(by_kind[name], key=lambda entry: entry["inv"])
                      for name in ("hw", "isr", "metadata")}
        self.starts = sorted(by_kind["start"], key=lambda entry: entry["t"])
        self.nemesis = sorted(
            (entry for name in ("fault", "healed", "calm", "end") for entry in by_kind[name]),
            key=lambda entry: entry["t"],
        )
        self.fatal = by_kind["fatal"]
        self.held = defaultdict(lambda: defaultdict(dict))
        self.log = defaultdict(dict)
        self.ids = defaultdict(dict)
        for entry in by_kind["final"]:
            held = self.held[entry["node"]][entry["part"]]
            for offset, value in entry["recs"]:
                held[offset] = value
                self.log[entry["part"]].setdefault(offset, value)
            for (offset, _), name in zip(entry["recs"], entry["ids"]):
                self.ids[entry["part"]][offset] = name

        places = self.places()
        self._acknowledged = [
            self._placed(send, places) for send in self.sends
            if send["type"] == "ok" and send["acks"] == "all"
        ]

    @staticmethod
    def _placed(send, places):
        """A client that gets the answer to a later record only takes the earlier ones for
        acknowledged too, and knows no offset of them: it is where it is."""
        if send["off"] is not None:
            return send
        found = places.get((send["part"], send["val"]))
        return {**send, "off": found[0] if found else None}

    def acknowledged(self, placed=True):
        """What was acknowledged by all replicas in sync; only what has an offset, unless told."""
        return [send for send in self._acknowledged if send["off"] is not None or not placed]

    def sent_again(self):
        """How often an idempotent producer wrote a record under a new number of its own. librdkafka
        does, when an answer to a later request tells it to begin a new epoch while it does not know
        what became of an earlier one."""
        places = self.places()
        return sum(max(0, len(places.get((send["part"], send["val"]), [])) - 1)
                   for send in self.sends if send["idem"])

    def places(self):
        """{(part, value): [offsets]} of all that is held at the end."""
        found = defaultdict(list)
        for part, records in self.log.items():
            for offset in sorted(records):
                found[part, records[offset]].append(offset)
        return found
