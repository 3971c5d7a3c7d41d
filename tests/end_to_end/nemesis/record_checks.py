"""The promises about records: none lost, doubled, changed, invented or out of order."""

from bisect import bisect_left
from collections import defaultdict

from nemesis.facts import Violation


def lost(facts):
    """What was acknowledged is on every node, at its offset, with its value."""
    for send in facts.acknowledged(placed=False):
        if send["off"] is None:
            yield Violation("lost", f"{send['val']} was acknowledged in {send['part']}, and is "
                                    "nowhere")
            continue
        for node, parts in facts.held.items():
            found = parts[send["part"]].get(send["off"])
            if found != send["val"]:
                yield Violation("lost", f"{send['val']} was acknowledged at {send['part']} "
                                        f"{send['off']}; node {node} has {found} there")


def lost_after_read(facts):
    """What a consumer once read is on every node at the end."""
    for read in facts.reads:
        for offset, value in read["recs"]:
            for node, parts in facts.held.items():
                found = parts[read["part"]].get(offset)
                if found != value:
                    yield Violation("lost after it was read",
                                    f"{read['proc']} read {value} at {read['part']} {offset}; "
                                    f"node {node} has {found} there")


def doubled(facts):
    """What an idempotent producer with one request at a time has sent is there once."""
    places = facts.places()
    for send in facts.sends:
        offsets = places.get((send["part"], send["val"]), [])
        if send["once"] and len(offsets) > 1:
            yield Violation("doubled", f"{send['val']} is at {send['part']} {offsets}")


def numbered_twice(facts):
    """Whatever a producer does, a number of its own is in a partition once."""
    for part, ids in facts.ids.items():
        seen = {}
        for offset, name in sorted(ids.items()):
            if name and name in seen:
                yield Violation("numbered twice", f"{part} has {name} (producer, epoch, sequence) "
                                                  f"at {seen[name]} and at {offset}")
            seen[name] = offset


def two_values(facts):
    """A place has one value, for everybody and for ever."""
    known = {}

    def say(part, offset, value, who):
        first, whom = known.setdefault((part, offset), (value, who))
        if first != value:
            yield Violation("two values",
                            f"{part} {offset} is {first} for {whom} and {value} for {who}")

    for send in facts.acknowledged():
        yield from say(send["part"], send["off"], send["val"], "its producer")
    for read in facts.reads:
        for offset, value in read["recs"]:
            yield from say(read["part"], offset, value, read["proc"])
    for node, parts in facts.held.items():
        for part, records in parts.items():
            for offset, value in records.items():
                yield from say(part, offset, value, f"node {node}")


def _all_seen(facts):
    """(part, value, who) of every record that anybody has seen."""
    for read in facts.reads:
        for _, value in read["recs"]:
            yield read["part"], value, read["proc"]
    for node, parts in facts.held.items():
        for part, records in parts.items():
            for value in records.values():
                yield part, value, f"node {node}"


def refused_but_there(facts):
    """What was definitely refused is nowhere."""
    refused = {(send["part"], send["val"]): send for send in facts.sends if send["type"] == "fail"}
    for part, value, who in _all_seen(facts):
        if (part, value) in refused:
            yield Violation("refused but there", f"{who} has {value} of {part}, which was refused: "
                                                 f"{refused[part, value]['err']}")


def never_sent(facts):
    """What is there, somebody sent, and to that partition."""
    sent = {(send["part"], send["val"]) for send in facts.sends}
    for part, value, who in _all_seen(facts):
        if (part, value) not in sent:
            yield Violation("never sent", f"{who} has {value} of {part}")


def out_of_real_time(facts):
    """What was acknowledged before another record was sent comes before it."""
    places = facts.places()
    by_part = defaultdict(list)
    for send in facts.sends:
        by_part[send["part"]].append(send)
    acknowledged = defaultdict(list)
    for send in sorted(facts.acknowledged(), key=lambda send: send["ret"]):
        acknowledged[send["part"]].append(send)
    for part, sends in by_part.items():
        done = acknowledged[part]
        returns = [send["ret"] for send in done]
        highest = []  # the send with the highest offset of those done so far
        for send in done:
            highest.append(
                send if not highest or send["off"] > highest[-1]["off"] else highest[-1]
            )
        for send in sends:
            before = bisect_left(returns, send["inv"])
            for offset in places.get((part, send["val"]), []) if before else []:
                if offset < highest[before - 1]["off"]:
                    yield Violation("out of real time",
                                    f"{send['val']} is at {part} {offset}, but "
                                    f"{highest[before - 1]['val']} at "
                                    f"{highest[before - 1]['off']} was acknowledged before it was "
                                    "sent")


def reordered(facts):
    """What an idempotent producer sent to a partition lies there in the order of sending."""
    places = facts.places()
    last = {}
    for send in sorted(facts.sends, key=lambda send: send["inv"]):
        if not send["idem"]:
            continue
        for offset in places.get((send["part"], send["val"]), []):
            before = last.get((send["proc"], send["part"]))
            if before and before[0] > offset:
                yield Violation("reordered", f"{send['val']} is at {send['part']} {offset}, and "
                                             f"{before[1]} of the same producer, sent earlier, at "
                                             f"{before[0]}")
            else:
                last[send["proc"], send["part"]] = (offset, send["val"])


def poll_order(facts):
    """A consumer reads a partition forwards, and leaves nothing out."""
    offsets = {part: sorted(records) for part, records in facts.log.items()}
    beginners = {entry["proc"] for entry in facts.consumers if entry.get("from") == "beginning"}
    ended = {entry["proc"] for entry in facts.consumers if entry.get("end")}
    last = {(proc, part): -1 for proc in beginners for part in offsets}
    for read in facts.reads:
        key = (read["proc"], read["part"])
        there = offsets.get(read["part"], [])
        for offset, value in read["recs"]:
            before = last.get(key)
            if before is not None and offset <= before:
                yield Violation("read backwards", f"{read['proc']} read {value} at {read['part']} "
                                                  f"{offset} after {before}")
            elif before is not None:
                yield from _left_out(key, there, before, offset)
            last[key] = max(offset, before if before is not None else -1)
    for key, before in last.items():
        if key[0] in ended and offsets.get(key[1]):
            yield from _left_out(key, offsets[key[1]], before, offsets[key[1]][-1] + 1)


def _left_out(key, there, before, offset):
    """`there` are the offsets that records have; those between the two were not delivered."""
    first = bisect_left(there, before + 1)
    if first < len(there) and there[first] < offset:
        yield Violation("left out", f"{key[0]} read {key[1]} up to {before}, then {offset}, and "
                                    f"never {there[first]}")


RECORD_CHECKS = [lost, lost_after_read, doubled, numbered_twice, two_values, refused_but_there,
                 never_sent, out_of_real_time, reordered, poll_order]
