"""The rules of the layout, read from the source: who may import whom, and what no module does."""

import ast
import functools
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
PACKAGE = SOURCE / "tppo"

# Lower never imports higher. A stage may import its own modules and any stage of a lower rank.
RANK = {
    "corpus": 0,
    "embedding": 1,
    "classify": 2,
    "topics": 2,
    "pretrain": 2,
    "evaluate": 3,
    "tracking": 4,
    "labelling": 5,
    "cli": 6,
}
UNSAFE = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
FOUNDATIONS = ("tppo", "tppo.errors", "tppo.taxonomy", "tppo.console", "tppo.processes")
HEAVY = ("numpy", "scipy", "sklearn", "torch", "mlflow", "pyarrow", "pandas", "hydra", "pydantic", "matplotlib", "ray")


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
CONFIGURATION = {name for name in NAMES if f"{name}.".startswith("tppo.config.")}


def stage_of(module: str) -> str | None:
    """The stage a module belongs to; None for the top-level modules."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in RANK else None


@functools.cache
def imports(name: str) -> frozenset[str]:
    """Full names of what a module imports anywhere; a name taken from a package counts as a module if it is one."""
    path = NAMES[name]
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    targets: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            targets.update(full if (full := f"{base}.{alias.name}") in NAMES else base for alias in node.names)
    return frozenset(targets)


def of_stages(*stages: str) -> list[str]:
    return [name for name in NAMES if stage_of(name) in stages]


def tree_of(name: str) -> ast.Module:
    return ast.parse(NAMES[name].read_text(encoding="utf-8"))


def found(names: Iterable[str], wrong: Callable[[str], Iterable[object]]) -> list[str]:
    """What breaks a rule, as ``module: what``, over the modules of the given names."""
    return [f"{name}: {what}" for name in names for what in wrong(name)]


def test_a_stage_imports_only_lower_stages() -> None:
    def wrong(name: str) -> Iterator[str]:
        stage = stage_of(name)
        for target in imports(name):
            other = stage_of(target)
            if stage and other and other != stage and RANK[other] >= RANK[stage]:
                yield target

    assert found(of_stages(*RANK), wrong) == []


def test_evaluate_takes_arrays_and_never_models() -> None:
    below = {"corpus", "embedding", "classify", "topics"}
    assert found(of_stages("evaluate"), lambda name: [i for i in imports(name) if stage_of(i) in below]) == []


def test_only_tracking_imports_mlflow() -> None:
    others = [name for name in NAMES if stage_of(name) != "tracking"]
    assert found(others, lambda name: [i for i in imports(name) if i.split(".")[0] == "mlflow"]) == []


def test_the_foundations_know_no_stage_and_no_configuration() -> None:
    def wrong(name: str) -> list[str]:
        return [i for i in imports(name) if stage_of(i) or i in CONFIGURATION]

    assert found(FOUNDATIONS, wrong) == []


def test_only_the_command_line_and_top_level_modules_know_the_configuration() -> None:
    composing = {n for n in NAMES if n.count(".") == 1 and CONFIGURATION & imports(n)} | CONFIGURATION
    stages = [name for name in of_stages(*RANK) if stage_of(name) != "cli"]
    assert found(stages, lambda name: composing.intersection(imports(name))) == []


def test_nothing_but_the_command_line_imports_the_command_line() -> None:
    others = [name for name in NAMES if stage_of(name) != "cli"]
    assert found(others, lambda name: [i for i in imports(name) if stage_of(i) == "cli"]) == []


def test_no_module_takes_more_than_the_version_from_the_package_root() -> None:
    def wrong(name: str) -> list[str]:
        from_root = [n for n in ast.walk(tree_of(name)) if isinstance(n, ast.ImportFrom) and n.module == "tppo"]
        taken = [alias.name for node in from_root for alias in node.names]
        return [t for t in taken if t != "__version__" and f"tppo.{t}" not in NAMES]

    assert found(NAMES, wrong) == []


def test_imports_form_no_cycle() -> None:
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name not in done:
            for following in sorted({i for i in imports(name) if i in NAMES and i != name}):
                visit(following, (*trail, name))
            done.add(name)

    for name in NAMES:
        visit(name, ())


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    assert [name for name in NAMES if name.split(".")[-1] in sys.stdlib_module_names] == []


def test_nothing_is_printed() -> None:
    def wrong(name: str) -> list[str]:
        calls = [n for n in ast.walk(tree_of(name)) if isinstance(n, ast.Call)]
        return [f"line {n.lineno}" for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"]

    assert found(NAMES, wrong) == []


def test_nothing_is_pickled() -> None:
    assert found(NAMES, lambda name: [i for i in imports(name) if i.split(".")[0] in UNSAFE]) == []


def test_no_module_silences_warnings_when_imported() -> None:
    def wrong(name: str) -> list[str]:
        calls = [n for n in tree_of(name).body if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)]
        return [ast.unparse(n) for n in calls if "filterwarnings" in ast.unparse(n) or "simplefilter" in ast.unparse(n)]

    assert found(NAMES, wrong) == []


def test_everything_public_has_a_docstring() -> None:
    def undocumented(body: Iterable[ast.stmt], prefix: str) -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
                if not ast.get_docstring(node):
                    yield prefix + node.name
                if isinstance(node, ast.ClassDef):
                    yield from undocumented(node.body, f"{prefix}{node.name}.")

    def wrong(name: str) -> Iterator[str]:
        tree = tree_of(name)
        if not ast.get_docstring(tree):
            yield "the module itself"
        yield from undocumented(tree.body, "")

    assert found(NAMES, wrong) == []


def test_every_module_with_public_names_says_which_it_exports() -> None:
    def wrong(name: str) -> list[str]:
        body = tree_of(name).body
        public = [n.name for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name[0] != "_"]
        assigned = [ast.unparse(t) for n in body if isinstance(n, ast.Assign) for t in n.targets]
        return public if public and "__all__" not in assigned else []

    assert found(NAMES, wrong) == []


def loaded_after(import_: str, wanted: Iterable[str]) -> str:
    """Which of the wanted modules a fresh interpreter has loaded after an import."""
    code = f"import {import_}, sys; print([m for m in {tuple(wanted)!r} if m in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    assert loaded_after("tppo.cli.app", HEAVY) == "[]"


@pytest.mark.parametrize("name", ["tppo.corpus, tppo.embedding", "tppo.labelling", "tppo.tracking", "tppo.cli.show"])
def test_labelling_is_imported_without_mlflow_torch_and_scikit_learn(name: str) -> None:
    assert loaded_after(name, ("mlflow", "torch", "sklearn", "pandas", "matplotlib", "ray")) == "[]"
