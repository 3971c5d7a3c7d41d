"""Reads mutants, and applies them to sources. The format: README.md."""

from dataclasses import dataclass, field

FIELDS = ("rule", "stands for", "killed by")


class Malformed(Exception):
    """A mutant file that cannot be read, or fits nowhere or in more than one place."""


@dataclass
class Hunk:
    path: str
    before: str
    after: str


@dataclass
class Mutant:
    name: str
    what: str = ""
    rule: str = ""
    stands_for: str = ""
    killed_by: str = ""
    hunks: list = field(default_factory=list)

    @property
    def sources(self):
        """What must be compiled apart, as it is no header."""
        return {hunk.path for hunk in self.hunks if hunk.path.endswith(".cpp")}


def read_all(root):
    """Every mutant of the repository, by name; Malformed."""
    paths = sorted((root / "tests" / "mutants").glob("*.diff"))
    if not paths:
        raise Malformed("tests/mutants has none")
    return [parse(path.stem, path.read_text(encoding="utf-8")) for path in paths]


def parse(name, text):
    head, _, body = text.partition("\n--- ")
    fields, what = {}, []
    for line in head.splitlines():
        if not line.startswith("# "):
            raise Malformed(f"{name}: not a comment before the diff: {line!r}")
        key, colon, value = line[2:].partition(": ")
        if colon and key in FIELDS:
            fields[key] = value
        else:
            what.append(line[2:])
    missing = [key for key in FIELDS if key not in fields]
    if missing or not what or not body:
        raise Malformed(f"{name}: without {', '.join(missing) or 'a sentence or a diff'}")
    mutant = Mutant(
        name, " ".join(what), fields["rule"], fields["stands for"], fields["killed by"]
    )
    for part in ("--- " + body).split("\n--- "):
        path, *hunks = part.removeprefix("--- ").split("\n@@\n")
        mutant.hunks += [hunk_of(name, path.strip(), lines) for lines in hunks]
    return mutant


def hunk_of(name, path, text):
    before, after = [], []
    for line in text.rstrip("\n").split("\n"):
        kind, rest = line[:1] or " ", line[1:]
        if kind not in " +-":
            raise Malformed(f"{name}: a line of a diff begins with {kind!r}")
        if kind in " -":
            before.append(rest)
        if kind in " +":
            after.append(rest)
    if before == after:
        raise Malformed(f"{name}: changes nothing in {path}")
    return Hunk(path, "\n".join(before) + "\n", "\n".join(after) + "\n")


def apply(mutant, folder):
    """Changes the sources in `folder`. Malformed unless each hunk fits in exactly one place."""
    for hunk in mutant.hunks:
        path = folder / hunk.path
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        places = ("\n" + text).count("\n" + hunk.before)
        if places != 1:
            raise Malformed(f"{mutant.name}: a hunk fits {places} times into {hunk.path}")
        path.write_text(
            ("\n" + text).replace("\n" + hunk.before, "\n" + hunk.after)[1:], encoding="utf-8"
        )
