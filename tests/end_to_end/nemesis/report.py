"""The figures of a run, and whether they suffice."""

import re
from collections import Counter
from statistics import median

from nemesis.cluster_checks import SECOND, healing_times
from nemesis.facts import Facts
from nemesis.schedule import kinds_for

SHOWN_MAX = 5  # violations of a kind
FULL_RUN = 5  # minutes; a shorter one need not reach every figure
ACKNOWLEDGED_MIN = 50_000
POWER_LOSSES_MIN = 3


def leader_changes(facts):
    """How often a partition got a leader of a newer epoch."""
    epochs = {(part, each["epoch"]) for poll in facts.polls["isr"]
              for part, each in poll["parts"].items() if each["leading"]}
    return len(epochs) - len({part for part, _ in epochs})


def isr_changes(site, word):
    return sum(len(re.findall(f"ISR {word}:", node.log())) for node in site.nodes)


def show_violations(violations):
    shown = Counter()
    for each in violations:
        shown[each.kind] += 1
        if shown[each.kind] <= SHOWN_MAX:
            print(f"VIOLATION {each.kind}: {each.text}")
    for kind, count in shown.items():
        print(f"VIOLATIONS of '{kind}': {count}")


def show_faults(run, facts):
    healed = {}
    for kind, took in healing_times(facts):
        healed.setdefault(kind, []).append(took)
    for kind, effects in sorted(run.effects.items()):
        times = [took for took in healed.get(kind, []) if took is not None]
        whole = f"all in sync {max(times) / SECOND:.1f} s after its end" if times else ""
        print(f"{kind:<28} {len(effects)} x, seen after "
              f"{median(visible for visible, _ in effects):.1f} s ({effects[-1][1]}), {whole}")


def too_little(run, facts, minutes):
    """Why this run proves too little, one text a reason."""
    acknowledged = len(facts.acknowledged())
    least = ACKNOWLEDGED_MIN * min(minutes, FULL_RUN) // FULL_RUN
    if acknowledged < least:
        yield f"only {acknowledged} records were acknowledged, {least} are needed"
    if minutes < FULL_RUN:
        return
    for name, _, _ in kinds_for(run.site):
        if not run.effects[name]:
            yield f"there was no '{name}'"
    power = sum(len(seen) for kind, seen in run.effects.items() if kind.startswith("power loss"))
    if run.site.disks and power < POWER_LOSSES_MIN:
        yield f"power was lost {power} times only"


def summary(run, history, violations, seconds):
    """Prints all there is to say, the sum as the last line. Whether the run failed."""
    facts = Facts(history)
    show_faults(run, facts)
    failures = [*run.failures, *too_little(run, facts, run.seconds // 60)]
    show_violations(violations)
    for each in failures:
        print(f"FAILURE: {each}")
    kinds = Counter(each.kind for each in violations)
    types = Counter(send["type"] for send in facts.sends)
    faults = sum(len(seen) for seen in run.effects.values())
    print(f"seed {run.plan.seed}, {seconds:.0f} s: {len(facts.acknowledged())} records "
          f"acknowledged, {kinds['lost']} lost, {kinds['doubled'] + kinds['numbered twice']} "
          f"doubled, {len(violations)} violations; {types['fail']} refused, {types['info']} "
          f"unknown, {facts.sent_again()} sent again by a client under a new number; "
          f"{faults} faults of {sum(map(bool, run.effects.values()))} kinds, "
          f"{sum(run.voids.values())} void; {leader_changes(facts)} leader changes, "
          f"{isr_changes(run.site, 'SHRINK')} shrinks, {isr_changes(run.site, 'EXPAND')} expands")
    return bool(violations or failures)
