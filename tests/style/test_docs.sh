# What README and docs name is there: every relative link and its heading, every path, function, constant, setting and
# preset. Names in capitals stand for others (NAME, ROOM).
set -euo pipefail
command -v "$GG_TEST_PYTHON" >/dev/null || { echo "skipped: no Python"; exit 77; }
"$GRIDGPT" train --help | awk -f "$GG_SOURCE/tests/jobs/command/settings_table.awk" >settings.txt
"$GG_TEST_PYTHON" - "$GG_SOURCE" settings.txt <<'P'
import json, pathlib, re, sys

root = pathlib.Path(sys.argv[1])
settings = set(re.findall(r"^\| `([^`]+)`", pathlib.Path(sys.argv[2]).read_text(), re.M))
FOLDERS = r"(?:core|mpi|io|jobs|tests|docs|slurm|cmake)/"
OURS = r"\.(?:c|h|sh|py|md|cmake|awk|sbatch)$"
PLACEHOLDER = r"\b(?:NAME|ROOM|FILE)\b"
sources = [path for folder in ("core", "mpi", "io", "jobs", "tests", "slurm", "cmake", "docs")
           for path in (root / folder).rglob("*") if path.is_file() and "corpus" not in path.parts]
names = {path.name for path in sources} | {path.name for path in root.iterdir()}
code = "\n".join(path.read_text() for path in sources if path.suffix in (".c", ".h"))
words = set(re.findall(r"\b(?:gg|GG|test)_\w+", code)) | {path.stem for path in sources}
presets = {preset["name"] for preset in json.loads((root / "CMakePresets.json").read_text())["configurePresets"]}
documents = sorted([*root.glob("*.md"), *(path for path in sources if path.suffix == ".md")])
wrong, checked = [], 0


def slugs(text):
    """Anchors as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", text, re.M)}


def link(document, target):
    path, _, anchor = target.partition("#")
    file = document.parent / path if path else document
    if not file.exists():
        return f"dead link {target}"
    if anchor and anchor not in slugs(file.read_text()):
        return f"{target}: no such heading"


def path_problem(document, path):
    if re.search(PLACEHOLDER, path) or path.startswith("build/"):
        return None
    if not any((base / path).exists() for base in (document.parent, root)):
        return f"{path} is not there"


def word(document, text):
    """A word in backticks, or nothing that can be checked."""
    text = text.rstrip(".,;:)")
    if re.match(FOLDERS, text):
        return path_problem(document, text)
    if re.search(OURS, text) and re.fullmatch(r"\w[\w.-]*", text):
        return None if text in names or re.search(PLACEHOLDER, text) else f"no file {text}"
    if re.fullmatch(r"(?:gg|GG|test)_\w+", text):
        return None if text in words or re.search(r"NAME|_X$|_noun", text) else f"no {text} in the sources"
    setting = re.fullmatch(r"((?:model|data|batch|optim|parallel|compute|checkpoint|eval|run)\.[a-z_0-9]+)(?:[:=].*)?", text)
    if setting and not re.search(r"\.(?:c|h|sh|jsonl|h5|safetensors)$", setting[1]):
        return None if setting[1] in settings else f"no setting {setting[1]}"


for document in documents:
    text = document.read_text()
    if document.name == "style.md":
        text = text[text.index("\n## Ours"):]  # before it stand other people's files
    found = [link(document, target) for target in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"\w+://", target)]
    fences = re.findall(r"^```.*?^```", text, re.M | re.S)
    for fence in fences:
        found += [path_problem(document, path) for path in re.findall(rf"(?<![\w/.]){FOLDERS}[\w./-]*\w", fence)]
    for spoken in re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)):
        found += [word(document, piece) for piece in spoken.split()]
    found += [f"no preset {name}" for name in re.findall(r"(?:cmake|--build|ctest) --preset (\w+)", text) if name not in presets]
    checked += len(found)
    wrong += [f"{document.relative_to(root)}: {problem}" for problem in found if problem]

print(f"{len(documents)} texts, {checked} names and links")
if len(documents) < 8 or checked < 300:
    wrong.append("too little was found to be checked")
sys.exit("FAILED:\n" + "\n".join(wrong) if wrong else 0)
P
