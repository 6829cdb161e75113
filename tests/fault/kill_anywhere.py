"""Kills a small training at random moments, or makes its storage fail, and resumes it on another layout, until
it is done; its end must be that of a run nothing happened to. Again and again.

    kill_anywhere.py --rounds N --seed N      in a folder with settings.yaml and data (tests/jobs/training.sh)
    environment: GRIDGPT, GG_FAIL_IO (the library made of fail_io.c)

A round is one start of the program. What is shown of every training that reaches its end:
  - each step stands in metrics.jsonl once, in order, with the tokens seen until then: no sample was skipped or
    taken twice (every step takes the same number);
  - every loss is that of the undisturbed run: to rounding where layouts changed, else to the last digit, and
    then every tensor's checksum too, the optimizer's included;
  - the checkpoint counts the samples of all steps;
and of every start: no checkpoint with a final name was ever found damaged, a failed write neither ended the run
nor left a file behind, and no rank outlived its job.
"""
import argparse, json, os, random, re, shutil, signal, subprocess, sys, time
from pathlib import Path

STEPS, EVERY, SEQUENCES, CONTEXT = 60, 4, 24, 32
LIMIT = 90  # seconds of one start
# ranks, grid, ZeRO stage
LAYOUTS = [(1, "1x1", 0), (2, "1x1", 0), (2, "1x1", 1), (2, "2x1", 0), (2, "1x2", 0), (3, "1x1", 1),
           (4, "2x2", 0), (4, "2x1", 1), (4, "1x2", 1)]
WEIGHTS = [3, 3, 3, 3, 3, 1, 1, 1, 1]  # many ranks on few cores are slow
SAME = [(2, "1x1", 1), (2, "2x1", 0), (1, "1x1", 0)]  # of trainings that never change their layout
ROUNDING = 1e-5
KILLS = ["one rank", "all ranks", "mpirun"]


class Failure(Exception):
    pass


def command(layout, folder, faults):
    ranks, grid, zero = layout
    env = [f"{key}={value}" for key, value in faults.items()]
    if faults:
        env.append("LD_PRELOAD=" + os.environ["GG_FAIL_IO"])
        env.append("ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0")
    return ["mpirun", "-n", str(ranks), "env", *env, os.environ["GRIDGPT"], "train", "settings.yaml",
            f"run.dir={folder}", f"run.steps={STEPS}", f"checkpoint.every_steps={EVERY}", "checkpoint.keep=2",
            "model.heads=4", f"parallel.grid={grid}", f"parallel.zero={zero}"]


def ranks_of(folder):
    """Process ids of the program's ranks in that folder, found in /proc."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words and words[0].decode(errors="replace") == os.environ["GRIDGPT"] and \
                f"run.dir={folder}".encode() in words:
            found.append(int(entry))
    return found


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Start:
    """One start of the program."""

    def __init__(self, layout, folder, number, faults):
        self.folder, self.log = folder, Path(f"{folder}-{number:02d}.log")
        self.begin = time.monotonic()
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command(layout, folder, faults), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)

    def running(self):
        if time.monotonic() - self.begin > LIMIT:
            raise Failure(f"{self.log}: still running after {LIMIT} s")
        return self.process.poll() is None

    def wait_until(self, happened):
        while self.running() and not happened():
            time.sleep(0.002)

    def kill(self, whom, rng):
        """Returns whether there was anything to kill."""
        pids = [self.process.pid] if whom == "mpirun" else ranks_of(self.folder)
        if whom == "one rank" and pids:
            pids = [rng.choice(pids)]
        rng.shuffle(pids)
        for pid in pids:
            kill(pid)
        return bool(pids)

    def end(self):
        """Waits for mpirun and every rank to be gone; returns the exit status."""
        while self.running():
            time.sleep(0.01)
        for _ in range(1500):
            if not ranks_of(self.folder):
                return self.process.returncode
            time.sleep(0.01)
        left = ranks_of(self.folder)
        for pid in left:
            kill(pid)
        raise Failure(f"{self.log}: ranks {left} outlived their job by 15 s")


def size(path):
    try:
        return path.stat().st_size
    except OSError:
        return 0


def choose_moment(start, rng):
    """Waits for the moment to kill; says which it is."""
    folder = Path(start.folder)
    metrics, checkpoints = folder / "metrics.jsonl", folder / "checkpoints"
    kind = rng.choices(["starting", "running", "writing"], [2, 4, 5])[0]
    if kind == "starting":
        delay = rng.uniform(0, 2)
        start.wait_until(lambda: time.monotonic() - start.begin > delay)
        return f"{delay:.2f} s after the start"
    before = size(metrics)
    start.wait_until(lambda: "resuming" in start.log.read_text() or size(metrics) > before)
    if kind == "writing":
        delay = rng.uniform(0, 0.3)
        begin = time.monotonic()
        start.wait_until(lambda: time.monotonic() - begin > delay)
        start.wait_until(lambda: any(checkpoints.glob("*.tmp")))
        delay = rng.uniform(0, 0.02)
        time.sleep(delay)
        return f"{1000 * delay:.1f} ms after a temporary checkpoint was seen"
    delay = rng.uniform(0, 0.7)
    begin = time.monotonic()
    start.wait_until(lambda: time.monotonic() - begin > delay)
    return f"{delay:.2f} s after a step"


def choose_faults(layout, rng):
    if rng.random() < 0.6:
        return {}
    faults = {"GG_FAIL_ERROR": rng.choice(["ENOSPC", "EIO"])}
    if rng.random() < 0.3:
        faults["GG_FAIL_RENAME"] = rng.randint(1, 4)
        return faults
    faults["GG_FAIL_AFTER"] = int(10 ** rng.uniform(2, 6.2))
    if rng.random() < 0.5:
        faults["GG_FAIL_COUNT"] = rng.randint(1, 5)
    if rng.random() < 0.5:
        faults["GG_FAIL_RANK"] = rng.randrange(layout[0])
    return faults


def metrics_of(folder):
    lines = []
    for text in Path(folder, "metrics.jsonl").read_text().splitlines():
        line = json.loads(text)
        for times in ("tokens_per_s", "mfu", "seconds", "checkpoint_step", "checkpoint_seconds"):
            line.pop(times, None)
        lines.append(line)
    return lines


def inspect(folder):
    """What the checkpoint says it has seen, and the verified checksums of its tensors."""
    newest = sorted(Path(folder, "checkpoints").glob("step-*.h5"))[-1]
    text = subprocess.run([os.environ["GRIDGPT"], "inspect", str(newest), "--verify", "--tensors"], check=True,
                          capture_output=True, text=True).stdout
    seen = re.search(r"seen +(\d+) tokens, (\d+) sequences", text)
    return int(seen[1]), int(seen[2]), re.findall(r"^ +(\S+) .* ([0-9a-f]{16})", text, re.M)


def check_end(folder, reference, same):
    lines, wanted = metrics_of(folder), metrics_of(reference)
    worst = 0
    if [line["step"] for line in lines] != [line["step"] for line in wanted]:
        raise Failure(f"{folder}: its metrics have the steps {[line['step'] for line in lines]}")
    for line, other in zip(lines, wanted):
        if line["tokens"] != line["step"] * SEQUENCES * CONTEXT:
            raise Failure(f"{folder}: step {line['step']} counts {line['tokens']} tokens")
        if same and line != other:
            raise Failure(f"{folder}: on an unchanged layout a line differs:\n{line}\n{other}")
        for key in ("loss", "val_loss"):
            if key in other:
                worst = max(worst, abs(line[key] / other[key] - 1))
    if worst > ROUNDING:
        raise Failure(f"{folder}: a loss differs by {worst:.2g} from that of the undisturbed run")
    tokens, samples, sums = inspect(folder)
    if samples != STEPS * SEQUENCES or tokens != samples * CONTEXT:
        raise Failure(f"{folder}: its checkpoint has seen {samples} samples, {tokens} tokens")
    if len(sums) < 80 or same and sums != inspect(reference)[2]:
        raise Failure(f"{folder}: on an unchanged layout the tensors differ")
    return worst


def check_start(start, status, killed, faults):
    text = start.log.read_text()
    if "not used:" in text:
        raise Failure(f"{start.log}: a checkpoint with a final name was damaged")
    if killed:
        return
    # A failure of the last write ends the run with 74; all others are survived.
    allowed = [0, 74] if faults else [0]
    if status not in allowed:
        raise Failure(f"{start.log}: exit status {status} without being killed")
    left = list(Path(start.folder, "checkpoints").glob("*.tmp"))
    if left:
        raise Failure(f"{start.log}: left {left}")


def undisturbed(layout, references):
    """The folder of a run on that layout that nothing happens to."""
    if layout not in references:
        folder = "reference-%d-%s-%d" % layout
        start = Start(layout, folder, 0, {})
        if start.end() != 0:
            raise Failure(f"{start.log}: the undisturbed run fails")
        references[layout] = folder
    return references[layout]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng, references, counts = random.Random(args.seed), {}, {}
    training, alike, start_number, steps_reached = 0, False, 0, 0
    layout, folder, worst, ends = None, None, 0, 0
    begin = time.monotonic()
    number = 0
    while number < args.rounds or folder is not None:
        if folder is None:
            folder, training = f"training-{training:02d}", training + 1
            alike = training % 2 == 0
            layout = rng.choice(SAME)
            start_number = 0
        number += 1
        start_number += 1
        if not alike:
            layout = rng.choices(LAYOUTS, WEIGHTS)[0]
        faults = choose_faults(layout, rng)
        whom = rng.choice(KILLS) if number < args.rounds else None
        if number >= args.rounds:
            faults = {}
        start = Start(layout, folder, start_number, faults)
        moment = choose_moment(start, rng) if whom else "never"
        killed = whom is not None and start.running() and start.kill(whom, rng)
        # Now and then the next start comes while the killed one may still be dying.
        status = start.process.wait() if killed and rng.random() < 0.5 else start.end()
        check_start(start, status, killed, faults)
        what = f"{whom} killed {moment}" if killed else f"ended with {status}"
        counts[whom if killed else "ended"] = counts.get(whom if killed else "ended", 0) + 1
        counts["faults"] = counts.get("faults", 0) + bool(faults)
        print(f"round {number}: {folder} on {layout}: {what}{' ' + str(faults) if faults else ''}", flush=True)
        if not killed and status == 0:
            start.end()
            reference = undisturbed(layout if alike else (1, "1x1", 0), references)
            worst, ends = max(worst, check_end(folder, reference, alike)), ends + 1
            shutil.rmtree(folder)
            folder = None
    print(f"{number} rounds, seed {args.seed}, {time.monotonic() - begin:.0f} s: {counts}; {ends} trainings reached "
          f"their end, losses within {worst:.2g}")
    if ends < 1:
        raise Failure("no training reached its end")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"FAILED: {failure}\n(arguments {sys.argv[1:]}; everything is kept in {os.getcwd()})", file=sys.stderr)
        sys.exit(1)
