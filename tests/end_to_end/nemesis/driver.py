"""One run: load, faults, and in the end what each node holds.

    python -m nemesis.driver --minutes M --seed TEXT --keep FOLDER [--private]
"""

import argparse
import gc
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

import wire
from nemesis import wire_reads
from nemesis.checker import check
from nemesis.faults import Void
from nemesis.history import Writer, load, now
from nemesis.plan import PARTITIONS, STRONG, WEAK, all_partitions
from nemesis.report import summary
from nemesis.schedule import rolling_restart, schedule
from nemesis.site import NODES, LoopbackSite, PrivateSite
from nemesis.view import converged
from processes import eventually, spawn

CALM = 15  # seconds without a fault, first of all
LAST = 25  # seconds for the rolling restart, last of all
SEEN_WITHIN = 10  # seconds
CONVERGED_WITHIN = 30  # seconds; the checker is stricter, and this only tells when to go on
SETTLE = 1.5  # seconds, for the poller to see it
VOID_MAX = 3  # in a row, of one kind


class Run:
    """`effects` has a text for each fault that was seen, by kind."""

    def __init__(self, site, seed, minutes, log_folder):
        self.site = site
        self.draw = random.Random(seed)
        self.seconds = minutes * 60
        self.log_folder = log_folder
        self.plan = site.plan(seed)
        self.history = Writer(f"{self.plan.history}/driver.jsonl")
        site.history = self.history
        self.workers = {}
        self.effects = defaultdict(list)
        self.voids = Counter()
        self.failures = []

    def set_up(self):
        for node in self.site.nodes:
            self.site.start_node(node)
        self.site.await_ready()
        admin = AdminClient({"bootstrap.servers": self.plan.bootstrap})
        topics = [
            NewTopic(topic, PARTITIONS, len(NODES), config={"min.insync.replicas": str(least)})
            for topic, least in STRONG.items()
        ]
        topics.append(NewTopic(WEAK, 1, len(NODES), config={"min.insync.replicas": "1"}))
        for each in admin.create_topics(topics, operation_timeout=30).values():
            each.result(30)
        eventually(lambda: converged(self.site), 30, what="replicas in sync")
        path = self.site.folder / "plan.json"
        self.plan.save(path)
        for name in ("poller", "consumers", "producers"):
            log = (self.site.folder / f"{name}.log").open("wb")
            self.workers[name] = spawn(
                [sys.executable, "-m", f"nemesis.{name}", path], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )
            log.close()

    def calm(self, seconds):
        """No fault: there must be no change."""
        time.sleep(min(5, seconds))  # for the load to begin
        self.history.write("calm", t=now(), on=True)
        time.sleep(seconds)
        self.history.write("calm", t=now(), on=False)

    def cycles(self, until):
        """One fault after the other; each kind at least once if there is time. One that was void
        is tried again, on other nodes maybe."""
        for kind, make in schedule(self.site, self.draw):
            for _ in range(VOID_MAX):
                if time.monotonic() >= until:
                    return
                if self.cycle(kind, make):
                    break
            else:
                self.failures.append(f"{kind} was void {VOID_MAX} times")

    def cycle(self, kind, make):
        """One fault. Whether it was real."""
        self.check_workers()
        real = True
        start = time.monotonic()
        fault = make(self.site, self.draw)
        names = [node.id for node in fault.nodes]
        self.history.write("fault", t=now(), kind=kind, nodes=names)
        try:
            fault.strike()
            seen = eventually(fault.seen, SEEN_WITHIN, what=f"an effect of {kind} on {names}")
            visible = time.monotonic() - start
            rest = self.draw.uniform(*fault.hold) - visible
            if rest > 0:
                time.sleep(rest)
            fault.heal()
        except Void as why:
            real = False
            self.site.repair()
            self.voids[kind] += 1
            self.say(f"{kind} of {names} was void: {why}")
        except AssertionError as why:
            self.failures.append(f"{kind} of {names}: {why}")
            self.site.repair()
        else:
            self.effects[kind].append((visible, seen))
            self.say(f"{kind} of {names}: {seen} after {visible:.1f} s")
        self.history.write("healed", t=now(), kind=kind, nodes=names)
        try:
            eventually(lambda: converged(self.site), CONVERGED_WITHIN, 0.2, "replicas in sync")
        except AssertionError as why:
            self.failures.append(f"after {kind} of {names}: {why}")
        time.sleep(SETTLE)
        return real

    def check_workers(self):
        for name, worker in self.workers.items():
            if worker.poll() is not None:
                log = (self.site.folder / f"{name}.log").read_text(errors="replace")
                raise RuntimeError(f"the {name} ended with {worker.returncode}:\n{log}")

    def finish(self):
        """Ends the load, and reads what there is."""
        for name in ("producers", "consumers", "poller"):
            self.check_workers()
            worker = self.workers.pop(name)
            worker.send_signal(signal.SIGTERM)
            try:
                status = worker.wait(60)
            except subprocess.TimeoutExpired:
                worker.send_signal(signal.SIGUSR1)
                time.sleep(1)  # it has its stacks to write
                status = "nothing within 60 s"
            if status != 0:
                log = (self.site.folder / f"{name}.log").read_text(errors="replace")
                self.failures.append(f"the {name} ended with {status}:\n{log}")
            if name == "producers":
                eventually(lambda: converged(self.site), CONVERGED_WITHIN, 0.2, "in sync at last")
                self.history.write("end", t=now())
        for node in self.site.nodes:
            for topic, number in all_partitions():
                records = self.read(node, topic, number)
                self.history.write("final", node=node.id, part=f"{topic}-{number}",
                                   recs=[record[:2] for record in records],
                                   ids=[record[2] for record in records])
        self.history.close()

    def read(self, node, topic, number):
        """All that one node has of one partition, read from that node."""
        records, offset = [], 0
        with wire.Connection(node.address) as connection:
            while True:
                error, end, part, following = wire_reads.fetch(connection, topic, number, offset)
                if error != wire.NONE:
                    raise RuntimeError(
                        f"node {node.id} answers {error} to a fetch of {topic}-{number} at {offset}"
                    )
                records.extend(part)
                if following >= end or following == offset:
                    return records
                offset = following

    def say(self, text):
        print(text, flush=True)


def keep(site, folder):
    """Copies what a failure must be understood from."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in [*site.folder.glob("*.log"), *site.folder.glob("history/*.jsonl")]:
        shutil.copy(path, folder)


def play(run, minutes):
    run.set_up()
    begin = time.monotonic()
    run.calm(min(CALM, minutes * 6))
    run.cycles(begin + minutes * 60 - LAST)
    for kind, make in rolling_restart(run.site):
        run.cycle(kind, make)
    run.finish()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=int, default=5)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--private", action="store_true")
    told = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    site = PrivateSite(told.minutes) if told.private else LoopbackSite()
    start = time.monotonic()
    try:
        run = Run(site, told.seed, told.minutes, told.keep)
        try:
            play(run, told.minutes)
            gc.disable()  # half of the time of a check would be its, and there is no garbage
            history = load(run.plan.history)
            violations = check(history)
        except BaseException:
            keep(site, told.keep)
            print(f"seed {told.seed}; logs and history are in {told.keep}", flush=True)
            raise
        failed = summary(run, history, violations, time.monotonic() - start)
        if failed:
            keep(site, told.keep)
            print(f"FAILED: seed {told.seed}; logs and history are in {told.keep}")
        return 1 if failed else 0
    finally:
        site.close()


if __name__ == "__main__":
    sys.exit(main())
