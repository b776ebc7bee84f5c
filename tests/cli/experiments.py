"""Experiments with the ``haproxy`` command: what is typed, and what HAProxy 3.5-dev5 answered.

The files of ``fixtures/haproxy/experiments`` list them. One begins with ``=== title``; files follow, each
after ``--- NAME``, then ``--- run WORDS`` with variables in front, and what came of it: ``--- exit N``,
``--- out``, ``--- err``. Where evener does something else on purpose, ``--- differs REASON`` says why, and
``--- our exit``, ``--- our out``, ``--- our err`` say what. In files, ``%timeouts`` stands for a defaults
section with the mode and three timeouts, ``%tls NAME`` for a file of ``fixtures/tls``, ``%20 LINE`` for
twenty lines, ``%{20 x}`` for twenty characters.

    python tests/cli/experiments.py --program BIN     records anew what another HAProxy answers
    python tests/cli/experiments.py --ours            ... and what evener answers instead, where it differs
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "fixtures" / "haproxy" / "experiments"
FIXTURES = sorted(FOLDER.glob("*.txt"))
CERTIFICATES = FOLDER.parents[1] / "tls"
TIMEOUTS = "defaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\n"
ESCAPES = " escaped"
_PART = re.compile(r"^--- (.*)\n", re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    exit: int = 0
    out: str = ""
    err: str = ""


@dataclass(frozen=True)
class Experiment:
    title: str
    files: dict[str, str]
    run: str
    theirs: Answer
    differs: str = ""
    instead: dict[str, str] = field(default_factory=dict)  #: which parts of the answer are others

    @property
    def words(self) -> list[str]:
        return [word for word in shlex.split(self.run) if not re.match(r"[A-Z]+=", word)]

    @property
    def variables(self) -> dict[str, str]:
        given = [word for word in shlex.split(self.run) if re.match(r"[A-Z]+=", word)]
        return dict(word.split("=", 1) for word in given)

    @property
    def ours(self) -> Answer:
        made = {name: int(text) if name == "exit" else text for name, text in self.instead.items()}
        return replace(self.theirs, **made)  # type: ignore[arg-type]

    def write_files(self, where: Path) -> None:
        for name, text in self.files.items():
            path = where / name.removesuffix(ESCAPES)
            if name.endswith("/"):
                path.mkdir()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(ESCAPES):
                path.write_bytes(text.rstrip("\n").encode().decode("unicode_escape").encode("latin-1"))
            else:
                path.write_text(expanded(text), encoding="utf-8")


def expanded(text: str) -> str:
    text = text.replace("%timeouts\n", TIMEOUTS)
    text = re.sub(
        r"^%tls (.*)\n", lambda found: (CERTIFICATES / found[1]).read_text(), text, flags=re.MULTILINE
    )
    text = re.sub(r"%\{([0-9]+) (.)\}", lambda found: found[2] * int(found[1]), text)
    return re.sub(r"^%([0-9]+) (.*\n)", lambda found: found[2] * int(found[1]), text, flags=re.MULTILINE)


def parse(text: str) -> list[Experiment]:
    return [_parse_one(block) for block in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]]


def _parse_one(block: str) -> Experiment:
    title, _, body = block.partition("\n")
    parts = _PART.split(body)[1:]
    files: dict[str, str] = {}
    theirs: dict[str, str] = {}
    instead: dict[str, str] = {}
    run = differs = ""
    for head, content in zip(parts[::2], parts[1::2], strict=True):
        word, _, rest = head.partition(" ")
        if word == "run":
            run = rest
        elif word == "differs":
            differs = rest
        elif word == "our":
            name, _, value = rest.partition(" ")
            instead[name] = value or content
        elif word in ("exit", "out", "err"):
            theirs[word] = rest or content
        else:
            files[head] = content
    answer = Answer(int(theirs.get("exit", 0)), theirs.get("out", ""), theirs.get("err", ""))
    return Experiment(title, files, run, answer, differs, instead)


def render(experiments: list[Experiment]) -> str:
    return "".join(_render_one(experiment) for experiment in experiments)


def _render_one(one: Experiment) -> str:
    lines = [f"=== {one.title}\n"]
    lines += [f"--- {name}\n{text}" for name, text in one.files.items()]
    lines.append(f"--- run {one.run}\n--- exit {one.theirs.exit}\n")
    lines += [f"--- {name}\n{text}" for name in ("out", "err") if (text := getattr(one.theirs, name))]
    if one.differs:
        lines.append(f"--- differs {one.differs}\n")
        for name, text in one.instead.items():
            lines.append(f"--- our {name} {text}\n" if name == "exit" else f"--- our {name}\n{text}")
    return "".join(lines)


def normalized(text: str) -> str:
    """Without process numbers, the name of the release, the machine, and the list of options."""
    text = re.sub(r"^(\[[A-Z]+\]) +\([0-9]+\) : ", r"\1 ", text, flags=re.MULTILINE)
    text = re.sub(
        r"\[NOTICE\] haproxy version is .*\n\[NOTICE\] path to executable is .*\n", "(introduction)\n", text
    )
    text = re.sub(r"(3\.5-dev5)-[\w.-]+", r"\1", text)
    text = re.sub(r"Running on: .*", "Running on: (this machine)", text)
    text = re.sub(r"Usage : [^ ]*haproxy .*", "(usage)", text, flags=re.DOTALL)
    text = re.sub(r"\[NOTICE\] .*(evener: .* is|is known but) not executed yet\.\n", "", text)
    text = re.sub(r"(List of loaded object files:\n)(/.*\n)+", r"\1", text)
    lines = [line.rstrip(" ") if line.endswith("  ") else line for line in text.splitlines()]
    return "".join(line + "\n" for line in lines if line)


def ask(program: str, one: Experiment) -> Answer:
    """What a program answers in a directory with the files."""
    with tempfile.TemporaryDirectory(prefix="ex") as folder:
        one.write_files(Path(folder))
        done = subprocess.run(
            [program, *one.words],
            cwd=folder,
            env={**os.environ, **one.variables},
            capture_output=True,
            timeout=20,
            check=False,
        )
    said = [stream.decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr)]
    return Answer(done.returncode, normalized(said[0]), normalized(said[1]))


def _instead(one: Experiment, program: str) -> Experiment:
    found = ask(program, one)
    other = {
        name: str(getattr(found, name))
        for name in ("exit", "out", "err")
        if getattr(found, name) != getattr(one.theirs, name)
    }
    reason = one.differs or "no reason is given"
    return replace(one, instead=other, differs=reason if other else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--program", help="the HAProxy whose answers are recorded")
    parser.add_argument("--ours", action="store_true", help="record what evener answers instead")
    options = parser.parse_args()
    for fixture in FIXTURES:
        known = parse(fixture.read_text(encoding="utf-8"))
        if options.program:
            known = [replace(one, theirs=ask(options.program, one)) for one in known]
        if options.ours:
            program = str(Path(sys.executable).parent / "haproxy")
            known = [_instead(one, program) for one in known]
        fixture.write_text(render(known), encoding="utf-8")


if __name__ == "__main__":
    main()
