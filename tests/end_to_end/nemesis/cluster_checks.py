"""The promises about the cluster: high watermarks, leaders, ISRs, and that it heals in time."""

from bisect import bisect_right
from collections import defaultdict

from nemesis.facts import Violation

SECOND = 1_000_000_000
# After the last fault has ended, until every node names the same leaders and full ISRs. Starting a
# process, and learning that the cluster has changed, are part of it.
HEALED_WITHIN = 5 * SECOND
# Of a partition, from one fault to the next: a few elections, and back to the first replica.
EPOCHS_MAX = 5


def watermark_back(facts):
    """The high watermark that one process shows never falls. After a start it may begin lower: it
    is kept lazily, up to a second late, and a power cut may take it back to the log's start."""
    starts = defaultdict(list)
    for entry in facts.starts:
        starts[entry["node"]].append(entry["t"])
    last = {}
    for poll in facts.polls["hw"]:
        life = bisect_right(starts[poll["node"]], poll["inv"])
        for part, (offset, _, _) in poll["ends"].items():
            key = (poll["node"], life, part)
            if offset < last.get(key, 0):
                yield Violation("watermark back", f"node {poll['node']} showed {last[key]} for "
                                                  f"{part}, and later {offset}")
            last[key] = max(offset, last.get(key, 0))


def watermark_lost(facts):
    """A leader of a newer epoch shows at least what leaders of older ones have shown before it was
    asked: it answers only once it knows that much."""
    shown = defaultdict(lambda: defaultdict(list))  # part -> epoch -> [(ret, highest so far)]
    for poll in sorted(facts.polls["hw"], key=lambda poll: poll["ret"]):
        for part, (offset, epoch, led) in poll["ends"].items():
            if led:
                before = shown[part][epoch]
                before.append((poll["ret"], max(offset, before[-1][1] if before else 0)))
    for poll in facts.polls["hw"]:
        for part, (offset, epoch, led) in poll["ends"].items():
            for older, answers in shown[part].items() if led else []:
                known = bisect_right(answers, (poll["inv"], 0)) if older < epoch else 0
                if known and answers[known - 1][1] > offset:
                    yield Violation("watermark lost",
                                    f"node {poll['node']}, leader of {part} in epoch {epoch}, "
                                    f"shows {offset}; the leader of epoch {older} had shown "
                                    f"{answers[known - 1][1]}")


def log_beyond_watermark(facts):
    """What can be read at the end lies below a high watermark that some node has shown."""
    ends = {part: max(records, default=-1) + 1 for part, records in facts.log.items()}
    last = {}
    for poll in facts.polls["hw"]:
        for part, (offset, _, _) in poll["ends"].items():
            last[part] = max(offset, last.get(part, 0))
    for part, offset in last.items():
        # Raft's own entries have offsets, too: a high watermark may be beyond the last record.
        if part in ends and ends[part] > offset:
            yield Violation("log beyond watermark",
                            f"{part} has records up to {ends[part]}, and the last high watermark "
                            f"that any node showed was {offset}")


def two_leaders(facts):
    """No two nodes lead a partition in the same epoch."""
    leaders = {}
    for poll in facts.polls["isr"]:
        for part, each in poll["parts"].items():
            if each["leading"]:
                first = leaders.setdefault((part, each["epoch"]), poll["node"])
                if first != poll["node"]:
                    yield Violation("two leaders", f"nodes {first} and {poll['node']} both led "
                                                   f"{part} in epoch {each['epoch']}")


def two_isrs(facts):
    """A version of an ISR has one content, whoever shows it. Who leads now is no part of it."""
    known = {}
    for poll in facts.polls["isr"]:
        for part, each in poll["parts"].items():
            content = tuple(each["isr"])
            key = (part, each["epoch"], each["version"])
            first, node = known.setdefault(key, (content, poll["node"]))
            if first != content:
                yield Violation("two ISRs", f"{part} epoch {key[1]} version {key[2]} is {first} on "
                                            f"node {node} and {content} on node {poll['node']}")


def names_itself(facts):
    """A node that does not lead a partition does not name itself as its leader."""
    for poll in facts.polls["isr"]:
        for part, each in poll["parts"].items():
            if each["leader"] == poll["node"] and not each["leading"]:
                yield Violation("names itself", f"node {poll['node']} names itself as leader of "
                                                f"{part}, and does not lead it")


def too_few_in_sync(facts):
    """A write is acknowledged only while enough replicas are in sync.

    It is proven broken where a leader showed the same version of a too small ISR before the write
    was sent and after it was acknowledged: versions rise with each change, so it was that small all
    the time."""
    spans = defaultdict(dict)  # part -> (epoch, version) -> [first ret, last inv, size, min]
    for poll in facts.polls["isr"]:
        for part, each in poll["parts"].items():
            if each["leading"] and len(each["isr"]) < each["min"]:
                span = spans[part].setdefault((each["epoch"], each["version"]),
                                              [poll["ret"], poll["inv"], each["isr"], each["min"]])
                span[1] = max(span[1], poll["inv"])
    for send in facts.acknowledged():
        for (epoch, version), (first, last, isr, least) in spans[send["part"]].items():
            # A newer leader may have acknowledged it meanwhile, unless nobody else could.
            newer = any(other > epoch for other, _ in spans[send["part"]])
            if first < send["inv"] and send["ret"] < last and not newer:
                yield Violation("too few in sync",
                                f"{send['val']} was acknowledged at {send['part']} {send['off']} "
                                f"while version {version} of epoch {epoch} was {isr}, min {least}")


def _state(polls, key):
    """What each node said last: {node: (ret, parts)}, one after the other."""
    said = {}
    for poll in sorted(polls, key=lambda poll: poll["ret"]):
        said[poll["node"]] = (poll["inv"], poll[key])
        yield poll["ret"], said


def _agree(said, since, nodes):
    """Whether all nodes, asked after `since`, say the same, with a leader for each partition and
    nobody out of sync."""
    if set(said) != nodes or any(asked < since for asked, _ in said.values()):
        return False
    first, *others = (parts for _, parts in said.values())
    return bool(first) and all(
        parts.keys() == first.keys() and all(
            (each["leader"], each["epoch"], each["version"], each["isr"])
            == (first[part]["leader"], first[part]["epoch"], first[part]["version"],
                first[part]["isr"])
            and set(each["isr"]) == nodes
            for part, each in parts.items()
        ) for parts in (first, *others)
    ) and all(any(parts[part]["leading"] for parts in (first, *others)) for part in first)


def healing_times(facts):
    """[(kind, nanoseconds or None)]: from the end of each fault until all agree and are in sync."""
    nodes = {poll["node"] for poll in facts.polls["isr"]}
    marks = [entry for entry in facts.nemesis if entry["f"] in ("fault", "healed", "end")]
    states = [(ret, dict(said)) for ret, said in _state(facts.polls["isr"], "parts")]
    found = []
    at = 0
    for number, mark in enumerate(marks):
        if mark["f"] != "healed":
            continue
        until = marks[number + 1]["t"] if number + 1 < len(marks) else float("inf")
        while at < len(states) and states[at][0] < mark["t"]:
            at += 1
        healed = None
        for ret, said in states[at:]:
            if ret > until + SECOND or healed is not None:
                break
            if _agree(said, mark["t"], nodes):
                healed = ret - mark["t"]
        found.append((mark["kind"], healed))
    return found


def healed_late(facts):
    """After each fault all nodes soon agree on leaders, and everybody is in sync."""
    for kind, took in healing_times(facts):
        if took is None or took > HEALED_WITHIN:
            text = "never" if took is None else f"after {took / SECOND:.1f} s"
            yield Violation("healed late", f"after {kind}: all in sync {text}; "
                                           f"{HEALED_WITHIN // SECOND} s are allowed")


def elections_without_end(facts):
    """No fault, one-way cuts included, makes a partition change its leader again and again."""
    begins = [entry["t"] for entry in facts.nemesis if entry["f"] == "fault"]
    epochs = defaultdict(set)
    for poll in facts.polls["isr"]:
        number = bisect_right(begins, poll["inv"])
        for part, each in poll["parts"].items():
            if number and each["leading"]:
                epochs[part, number].add(each["epoch"])
    for (part, number), seen in epochs.items():
        if max(seen) - min(seen) > EPOCHS_MAX:
            yield Violation("elections without end", f"{part} went from epoch {min(seen)} to "
                                                     f"{max(seen)} during fault {number}")


def changed_without_cause(facts):
    """As long as there is no fault, no leader and no ISR changes."""
    marks = [entry["t"] for entry in facts.nemesis if entry["f"] == "calm"]
    for begin, end in zip(marks[::2], marks[1::2]):
        versions = {}
        for poll in facts.polls["isr"]:
            if poll["inv"] < begin or poll["ret"] > end:
                continue
            for part, each in poll["parts"].items():
                now = (each["epoch"], each["version"])
                first = versions.setdefault((poll["node"], part), now)
                if first != now:
                    yield Violation("changed without cause",
                                    f"node {poll['node']} showed (epoch, version) {first} of "
                                    f"{part}, then {now}")


def stuck(facts):
    """No client was told what it could not go on with, or was left without an answer."""
    for entry in facts.fatal:
        yield Violation("stuck", f"{entry['proc']}: {entry['err']}")


CLUSTER_CHECKS = [watermark_back, watermark_lost, log_beyond_watermark, two_leaders, two_isrs,
                  names_itself,
                  too_few_in_sync, healed_late, elections_without_end, changed_without_cause, stuck]
