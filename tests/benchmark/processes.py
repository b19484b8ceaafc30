"""Starts, measures and stops the benchmark's programs. Every problem with one raises Failure, so
that only successful runs are measured."""

import ctypes
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

LIBC = ctypes.CDLL(None)


class Failure(Exception):
    """The reason why there is no result."""


class Finished:
    """A program that succeeded: its output, its CPU seconds, and its peak memory, or None if it was
    too quick to be sampled."""

    def __init__(self, output, cpu_seconds, resident_bytes):
        self.output = output
        self.cpu_seconds = cpu_seconds
        self.resident_bytes = resident_bytes


def run(argv):
    """Runs a program and waits for it."""
    argv = [str(argument) for argument in argv]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
            )
        except OSError as error:
            raise Failure(f"{argv[0]}: {error.strerror}") from error
        try:
            resident_bytes = _watch(process.pid)
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            said = errors.read().decode(errors="replace").strip()
            raise Failure(f"exit code {process.returncode} of {' '.join(argv)}\n{said}")
        cpu_seconds = usage.ru_utime + usage.ru_stime
        return Finished(output.read().decode(), cpu_seconds, resident_bytes)


def _watch(pid):
    """Waits until a program exits, and returns its peak memory. Samples it ten times per second,
    because the kernel's own peak would include this process's memory at the fork."""
    most = None
    descriptor = os.pidfd_open(pid)
    try:
        end = select.poll()
        end.register(descriptor, select.POLLIN)
        while not end.poll(100):
            most = _resident_bytes(pid) or most
    finally:
        os.close(descriptor)
    return most


def _resident_bytes(pid):
    """The peak memory of a process; None if it is exiting."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name == "VmHWM":
                return int(value.split()[0]) * 1024
    return None


def _cpu_seconds(pid):
    """CPU time from the process's CPU clock, in nanoseconds. /proc/PID/stat has hundredths of a
    second, too coarse for a short list."""
    clock = ctypes.c_int()
    error = LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error != 0:
        raise Failure(f"cannot read the CPU clock of process {pid}: {os.strerror(error)}")
    return time.clock_gettime(clock.value)


class Server:
    """A program that runs until it is stopped. It is ready when it prints "listening on ADDRESS",
    or when `ready` returns true. Use it in a `with` block, which stops it."""

    def __init__(self, name, argv, ready=None):
        self.name = name
        self._errors = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                [str(argument) for argument in argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
        except OSError as error:
            raise Failure(f"{name}: {error.strerror}: {argv[0]}") from error
        self.address = None
        try:
            if ready is None:
                self._read_address()
            else:
                while not ready():
                    self.check()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _read_address(self):
        for line in self._process.stdout:
            _, found, address = line.decode().strip().partition("listening on ")
            if found:
                self.address = address
                return
        self._process.wait()
        self.check()

    def check(self):
        """Raises Failure if the program has exited."""
        if self._process.poll() is not None:
            raise self._end()

    def _end(self):
        """A Failure with the exit code and the last output."""
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace")[-2000:].strip()
        return Failure(f"{self.name} has exited: exit code {self._process.returncode}\n{said}")

    def __enter__(self):
        return self

    def __exit__(self, error_type, error, trace):
        ended = self._process.poll() is not None
        if not ended:
            self._process.send_signal(signal.SIGTERM)
        for line in self._process.stdout:
            pass
        self._process.wait()
        if ended or self._process.returncode != 0:
            if error_type is None:
                raise self._end()
            # Perhaps the cause of the other failure.
            print(self._end(), file=sys.stderr)

    def _processes(self):
        """The program's process id, and those of its children."""
        pid = self._process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [pid] + [int(child) for child in file.read().split()]

    def cpu_seconds(self):
        """CPU time used so far, in user mode and in the kernel."""
        self.check()
        return sum(_cpu_seconds(pid) for pid in self._processes())

    def resident_bytes(self):
        """Peak memory since forget_resident_bytes()."""
        self.check()
        return _resident_bytes(self._process.pid)

    def forget_resident_bytes(self):
        with open(f"/proc/{self._process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
