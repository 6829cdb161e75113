# The laws of docs/architecture.md that a look at the sources can check.
set -euo pipefail
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
python3 "$GG_SOURCE/tests/style/laws.py" "$GG_SOURCE"
python3 "$GG_SOURCE/tests/style/laws.py" --itself
