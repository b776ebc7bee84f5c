"""The floors of the house: imports go strictly downward, and the two products never meet.

Floors are the ones drawn in ``evener/__init__.py``. A module may import from a lower floor, or from
its own package on the same floor; ``haproxy`` and ``keepalived`` may not import each other.
"""

import ast
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent / "src" / "evener"

# Most specific prefix wins.
FLOORS = {
    "lookup": 0,
    "text": 0,
    "wire": 0,
    "vocab": 1,
    "haproxy": 5,
    "keepalived": 5,
    "desk": 6,
    "engine": 6,
    "host": 6,
    "cli": 7,
}


def imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            raise AssertionError(f"{path}: relative import")
    return {name for name in names if name.startswith("evener.")}


def room(module: str) -> str:
    return module.split(".")[1]


def test_imports_go_down() -> None:
    checked = 0
    for path in sorted(ROOT.rglob("*.py")):
        module = "evener." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
        here = room(module)
        if here not in FLOORS:
            continue
        for name in imports_of(path):
            there = room(name)
            if there not in FLOORS:
                continue
            checked += 1
            below = FLOORS[there] < FLOORS[here]
            assert below or there == here, f"{module} imports {name}, which is not below it"
    assert checked > 0


def test_products_do_not_meet() -> None:
    for product, other in (("haproxy", "keepalived"), ("keepalived", "haproxy")):
        for path in (ROOT / product).rglob("*.py"):
            assert not any(room(name) == other for name in imports_of(path)), f"{path} imports {other}"


def test_every_compiled_module_is_built() -> None:
    """pyproject.toml lists them; the directives that make them safe stand in each."""
    project = tomllib.loads((ROOT.parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    listed = {module["name"] for module in project["tool"]["setuptools"]["ext-modules"]}
    sources = sorted(ROOT.rglob("*.pyx"))
    assert listed == {f"evener.{source.parent.name}.{source.stem}" for source in sources}
    for source in sources:
        head = source.read_text(encoding="utf-8")[:400]
        assert "boundscheck=True" in head and "nonecheck=True" in head and "initializedcheck=True" in head


def test_the_top_level_stays_small() -> None:
    top = ROOT.parent.parent
    tracked = subprocess.run(["git", "ls-files"], cwd=top, capture_output=True, text=True, check=False).stdout
    if tracked:  # in a checkout
        assert {name.split("/")[0] for name in tracked.splitlines()} <= {
            "src", "grammars", "tests", "fixtures", "man",
            "pyproject.toml", "README.md", "LICENSE", ".ci", ".gitignore",
        }  # fmt: skip
