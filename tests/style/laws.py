"""The laws of docs/architecture.md, read off the sources:

    core <- mpi <- io <- jobs, and in core base <- kernels <- model <- optim, data, plan, with text beside them
    a header *_internal.h is included by its own room alone, rooms within it among them, and by tests
    no circle of files, where x.c, x.h and x_internal.h are one file
    no file name twice
    no C file that no CMakeLists.txt names

    laws.py FOLDER    prints what breaks a law; exit status 1 if anything does
    laws.py --itself  every law on a made-up tree that breaks it
"""

import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

HOUSE = ["core", "mpi", "io", "jobs"]
CORE = {  # what a room of core/ may include besides itself
    "base": set(),
    "kernels": {"base"},
    "model": {"base", "kernels"},
    "optim": {"base", "kernels", "model"},
    "data": {"base", "kernels", "model"},
    "plan": {"base", "kernels", "model", "optim", "data"},
    "text": {"base"},
}
SHARED_NAMES = {"CMakeLists.txt", "README.md", ".gitignore"}


def included(root, path):
    """Files of the tree that this one includes."""
    text = (root / path).read_text(errors="replace")
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.M)


def arrows(path, other):
    """The law that this include breaks, or None."""
    here, there = path.split("/"), other.split("/")
    if other.endswith("_internal.h") and here[0] in HOUSE and here[: len(there) - 1] != there[:-1]:
        return "is for its own room"
    if here[0] not in HOUSE:
        return None
    if there[0] not in HOUSE:
        return "is not of the program"
    if HOUSE.index(there[0]) > HOUSE.index(here[0]):
        return f"{there[0]}/ stands right of {here[0]}/"
    if here[0] == there[0] == "core" and here[1] != there[1] and there[1] not in CORE.get(here[1], set()):
        return f"core/{here[1]}/ must not include core/{there[1]}/"
    return None


def noun(path):
    """What counts as one file."""
    return re.sub(r"(_internal)?\.[ch]$", "", path)


def circles(edges):
    """Strongly connected components of more than one file (Tarjan 1972)."""
    order, low, stack, found = {}, {}, [], []

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for node in sorted(edges):
        if node not in order:
            visit(node)
    return found


def listed_in_cmake(root, files):
    """C files that a CMakeLists.txt above or beside them names, or makes a name of with ${name}."""
    named = set()
    for cmake in [root / f for f in files if Path(f).name == "CMakeLists.txt"]:
        folder = cmake.parent.relative_to(root)
        text = re.sub(r"#.*", "", cmake.read_text())
        for word in re.findall(r"[^\s()\"<>;:]+\.c\b", text):
            parts = (folder / word).as_posix().split("${name}")
            pattern = re.compile(r"\w+".join(map(re.escape, parts)))
            named |= {f for f in files if pattern.fullmatch(f)}
    return named


def broken(root, files):
    """Every law that the tree breaks, one a line."""
    sources = [f for f in files if f.endswith((".c", ".h")) and f.split("/")[0] in [*HOUSE, "tests"]]
    edges = {}
    for path in sources:
        for other in included(root, path):
            if other not in files:
                yield f"{path}: {other} is no file of the tree (paths begin at its root)"
                continue
            why = arrows(path, other)
            if why:
                yield f"{path}: includes {other}: {why}"
            if noun(path) != noun(other):
                edges.setdefault(noun(path), {}).setdefault(noun(other), f"{path} includes {other}")
    for circle in circles(edges):
        within = [why for a in circle for b, why in sorted(edges[a].items()) if b in circle]
        yield "a circle of files: " + " - ".join(circle) + "".join("\n    " + why for why in within)
    names = Counter(Path(f).name for f in files if not f.startswith(("tests/fuzz/corpus/", "tests/golden/huggingface/")))
    for name, count in sorted(names.items()):
        if count > 1 and name not in SHARED_NAMES:
            yield f"{count} files are named {name}: " + ", ".join(f for f in files if Path(f).name == name)
    compiled = [f for f in sources if f.endswith(".c")]
    named = listed_in_cmake(root, files)
    for path in compiled:
        if path not in named:
            yield f"{path}: no CMakeLists.txt names it"


def files_of(root):
    """The tree's files: what git knows or would take; without git, all but build/."""
    git = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    if git.returncode == 0:
        found = git.stdout.splitlines()
    else:
        found = [p.relative_to(root).as_posix() for p in root.rglob("*")]
        found = [f for f in found if not f.startswith(("build/", ".git/"))]
    return sorted(f for f in set(found) if (root / f).is_file())


def itself():
    """A whole tree breaks nothing, and each change breaks the law that it is for."""
    whole = {
        "core/base/a.h": "", "core/base/a.c": '#include "core/base/a.h"', "core/model/m.h": '#include "core/base/a.h"',
        "core/text/t_internal.h": "", "core/text/deep/t.h": '#include "core/text/t_internal.h"',
        "core/plan/p.c": '#include "core/model/m.h"', "io/f.c": "", "jobs/j.h": "",
        "core/CMakeLists.txt": "lib(base/a.c plan/p.c)", "io/CMakeLists.txt": "lib(f.c)",
    }
    changes = {
        "stands right of": {"io/f.c": '#include "jobs/j.h"'},
        "must not include": {"core/base/a.c": '#include "core/model/m.h"'},
        "for its own room": {"io/f.c": '#include "core/text/t_internal.h"'},
        "a circle of files: core/base/a - core/base/b": {
            "core/base/a.c": '#include "core/base/b.h"', "core/base/b.h": '#include "core/base/a.h"'},
        "2 files are named": {"mpi/j.h": ""},
        "no CMakeLists.txt names it": {"io/g.c": ""},
        "no file of the tree": {"io/f.c": '#include "f.h"'},
        "not of the program": {"tests/check.h": "", "io/f.c": '#include "tests/check.h"'},
    }
    for wanted, change in [(None, {}), *changes.items()]:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for path, text in {**whole, **change}.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text + "\n")
            found = list(broken(root, files_of(root)))
        assert (found == [] if wanted is None else any(wanted in line for line in found)), (wanted, found)


if __name__ == "__main__":
    if sys.argv[1] == "--itself":
        itself()
    else:
        lines = list(broken(Path(sys.argv[1]), files_of(Path(sys.argv[1]))))
        print("\n".join(lines), end="\n" if lines else "")
        sys.exit(1 if lines else 0)
