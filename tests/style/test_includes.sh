# Who may include whom: a folder only what stands left of it in core <- mpi <- io <- jobs (and within core base <-
# kernels <- model <- the rest), and a *_internal.h only its own room. Tests may include anything.
set -euo pipefail
cd "$GG_SOURCE"
python3 - <<'END'
import pathlib
import re
import sys

order = ["core/base", "core/kernels", "core/model", "core", "mpi", "io", "jobs"]

def place(path):
    return next(i for i, folder in enumerate(order) if path.startswith(folder + "/"))

files = [path for folder in ("core", "mpi", "io", "jobs") for path in sorted(pathlib.Path(folder).rglob("*.[ch]"))]
assert len(files) > 100, f"only {len(files)} files found"
faults = []
for path in files:
    for header in re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE):
        room = str(pathlib.PurePath(header).parent)
        if not pathlib.Path(header).is_file() or not header.startswith(("core/", "mpi/", "io/", "jobs/")):
            faults.append(f"{path}: {header} is no header of the program's")
        elif place(header) > place(str(path)):
            faults.append(f"{path}: {header} stands right of it")
        elif header.endswith("_internal.h") and not str(path).startswith(room + "/"):
            faults.append(f"{path}: {header} is for {room} alone")
print("\n".join(faults))
sys.exit(bool(faults))
END
