"""Histories for the tests of the nemesis's checker."""

NODES = (1, 2, 3)


def send(value, inv=80, ret=85, **more):
    entry = {"f": "send", "proc": value.split(":")[0], "part": "t-0", "val": value, "inv": inv,
             "ret": ret, "acks": "all", "idem": True, "type": "ok"}
    return {**entry, "once": more.get("idem", True), **more}


def isr(node, at, leading=False, members=(1, 2), **more):
    knows = leading or node != 1  # who does not lead does not name itself
    state = {"leader": 1 if knows else -1, "epoch": 1, "version": 1, "isr": list(members),
             "min": 2, "leading": leading}
    return {"f": "isr", "node": node, "inv": at, "ret": at + 1,
            "parts": {"t-0": {**state, **more}}}


def story():
    """Three records of one producer, one after the other, read by one consumer."""
    records = [[number, f"p:{number + 1}"] for number in range(3)]
    return [
        *(send(value, 10 * offset + 10, 10 * offset + 15, off=offset) for offset, value in records),
        {"f": "consumer", "proc": "c", "t": 1, "from": "beginning"},
        {"f": "read", "proc": "c", "part": "t-0", "t": 48, "recs": [list(one) for one in records]},
        {"f": "consumer", "proc": "c", "t": 49, "end": True},
        *({"f": "final", "node": node, "part": "t-0", "recs": [list(one) for one in records],
           "ids": [f"7/0/{offset}" for offset, _ in records]} for node in NODES),
    ]


def acknowledged(history, value):
    (found,) = [entry for entry in history if entry["f"] == "send" and entry["val"] == value]
    return found


def final(history, node):
    (found,) = [entry for entry in history if entry["f"] == "final" and entry["node"] == node]
    return found["recs"]


class GoodHistory:
    """A log that is right, and clients who see it so, some sooner than others."""

    def __init__(self, draw):
        self._draw = draw
        self._time = 0
        self._log = {"t-0": [], "t-1": []}  # part -> [(offset, value)]
        self._ends = dict.fromkeys(self._log, 0)
        self._positions = {}
        self._shown = {}
        self._epoch = 1
        self._version = 1
        self._number = 0
        self._entries = []

    def entries(self):
        for name in ("c1", "c2"):
            self._add("consumer", proc=name, t=self._now(), **{"from": "beginning"})
        steps = [self._send, self._send, self._send, self._read, self._poll, self._elect,
                 self._restart]
        for _ in range(self._draw.randrange(20, 120)):
            self._draw.choice(steps)()
        for name in ("c1", "c2"):
            for part in self._log:
                self._read_on(name, part, len(self._log[part]))
            self._add("consumer", proc=name, t=self._now(), end=True)
        for node in NODES:
            for part, records in self._log.items():
                self._add("final", node=node, part=part, recs=[list(each) for each in records],
                          ids=[f"7/0/{offset}" for offset, _ in records])
        self._poll()
        self._draw.shuffle(self._entries)
        self._entries.sort(key=lambda entry: entry.get("ret", entry.get("t", 0)))
        return self._entries

    def _now(self):
        self._time += self._draw.randrange(1, 1000)
        return self._time

    def _add(self, f, **entry):
        self._entries.append({"f": f, **entry})

    def _append(self, part, value):
        offset = self._ends[part] + self._draw.choice((0, 0, 0, 1))  # Raft's own entries
        self._ends[part] = offset + 1
        self._log[part].append((offset, value))
        return offset

    def _send(self):
        """Some records at the same time, whose answers come in any order, or not at all."""
        part = self._draw.choice(list(self._log))
        sent = []
        for _ in range(self._draw.randrange(1, 6)):
            self._number += 1
            name = self._draw.choice(("i1", "a1", "w1"))
            sent.append([f"{name}:{self._number}", self._now()])
        for value, inv in sent:
            idem = value.startswith("i")
            fate = self._draw.choice(("ok", "ok", "ok", "appended", "info", "fail"))
            if fate == "fail" and idem:
                fate = "info"
            entry = {"type": fate}
            if fate in ("ok", "appended"):
                offset = self._append(part, value)
                entry = {"type": "ok", "off": self._draw.choice((offset, offset, None))}
                if fate == "appended":
                    entry = {"type": "info"}
                    if not idem and self._draw.random() < 0.5:
                        self._append(part, value)
            self._add("send", proc=value.split(":")[0], part=part, val=value, inv=inv,
                      ret=self._now(), acks="1" if value.startswith("w") else "all", idem=idem,
                      once=idem, **entry)

    def _read(self):
        part = self._draw.choice(list(self._log))
        self._read_on(self._draw.choice(("c1", "c2")), part, self._draw.randrange(1, 8))

    def _read_on(self, name, part, most):
        at = self._positions.get((name, part), 0)
        records = self._log[part][at:at + most]
        if records:
            self._positions[name, part] = at + len(records)
            self._add("read", proc=name, part=part, t=self._now(),
                      recs=[list(each) for each in records])

    def _poll(self):
        for node in NODES:
            start = self._now()
            ends = {}
            for part, end in self._ends.items():
                led = node == self._leader()
                shown = self._shown.get((node, part), 0)
                self._shown[node, part] = end if led else self._draw.randint(shown, end)
                ends[part] = [self._shown[node, part], self._epoch, led]
            self._add("hw", node=node, inv=start, ret=self._now(), ends=ends)
            self._add("isr", node=node, inv=start, ret=self._now(), parts={
                part: {"leader": self._leader(), "epoch": self._epoch, "version": self._version,
                       "isr": [1, 2, 3], "min": 2, "leading": node == self._leader()}
                for part in self._log
            })

    def _leader(self):
        return self._epoch % 3 + 1

    def _elect(self):
        self._epoch += 1
        self._version += 1

    def _restart(self):
        node = self._draw.choice(NODES)
        self._add("start", node=node, t=self._now())
        for part in self._ends:
            self._shown[node, part] = 0
