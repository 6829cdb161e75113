# A training that is killed anywhere and whose storage fails comes to the same end. GG_ROUNDS and GG_SEED choose how
# often and which.
source "$GG_SOURCE/tests/jobs/training.sh"
mpirun_as_usual
"$GG_TEST_PYTHON" "$GG_SOURCE/tests/fault/kill_anywhere.py" --rounds "${GG_ROUNDS:-50}" --seed "${GG_SEED:-1}"
