"""Runs a command in an interactive shell on a terminal of its own, types Enter and later Ctrl-C into it.

usage: terminal.py TEXT LOG COMMAND: types when TEXT has come out; everything that comes out goes to LOG.
"""
import os
import pty
import select
import sys
import time


def main():
    text, log, command = sys.argv[1:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("bash", ["bash", "--norc", "-ic", command])
    output = b""
    typed = None
    begin = time.time()
    while time.time() - begin < 90:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                break
            if not data:
                break
            output += data
        if typed is None and text.encode() in output:
            os.write(terminal, b"typed by mistake\n\n\x1a")
            typed = time.time()
        elif typed and time.time() - typed > 0.5:
            os.write(terminal, b"\x03")
            typed = float("inf")
    else:
        os.kill(pid, 9)
        output += b"\nterminal.py: it did not end\n"
    os.waitpid(pid, 0)
    with open(log, "wb") as file:
        file.write(output.replace(b"\r", b"\n").replace(b"\x1b[K", b""))


main()
