"""Runs the commands of one document."""

import collections
import os
import re
import shlex
import signal
import subprocess

import pytest
from programs import Server

# A finished command, with its standard output and the content of the file that it names.
Run = collections.namedtuple("Run", "workspace command output")


class Terminal:
    """A shell in the clone for a document's commands, and the servers started in it."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.placeholders = dict(workspace.placeholders)
        self.servers = []
        self.out, self.err = workspace.folder / "stdout", workspace.folder / "stderr"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        folder, variables = workspace.clone, workspace.variables
        self.shell = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, env=variables, start_new_session=True, **pipes
        )

    def run(self, text):
        """Runs a command, which must succeed."""
        command = self.workspace.fill_in(text, self.placeholders)
        try:
            output = self._run(command)
        finally:  # pytest shows it if the test fails.
            for text in (f"$ {command}", self.out.read_text(), self.err.read_text()):
                print(text[-2000:])
        file = re.search(r" > (\S+)", command)
        if file:
            output += (self.workspace.clone / file[1]).read_text()
            print(f"In {file[1]}:", output[-2000:], sep="\n")
        return Run(self.workspace, command, output)

    def serve(self, text):
        """Starts a server on a free port, which replaces the documented port from then on."""
        documented = re.search(r"--listen (\S+)", text)[1]
        command = text.replace(documented, "127.0.0.1:0")
        words = shlex.split(self.workspace.fill_in(command, self.placeholders), comments=True)
        variables = self._run("env -0").rstrip("\0").split("\0")
        variables = dict(variable.split("=", 1) for variable in variables)
        server = Server(*words, cwd=self.workspace.clone, env=variables)
        self.servers.append(server)
        self.placeholders[documented] = server.address.removeprefix("http://")

    def stop_servers(self):
        for server in self.servers:
            code, log = server.stop(), list(server.log.queue)[-3:]
            assert code == 0, f"{server.process.args} exited with {code}; end of its log: {log}"

    def close(self):
        for server in self.servers:
            server.process.kill()
        self._kill_shell()

    def _kill_shell(self):
        if self.shell.poll() is None:
            os.killpg(self.shell.pid, signal.SIGKILL)
            self.shell.wait()

    def _run(self, command):
        if self.shell.poll() is not None:
            pytest.skip("an earlier command ended the shell of this document")
        redirected = f"{{\n{command}\n}} </dev/null >'{self.out}' 2>'{self.err}'"
        self.shell.stdin.write(f"{redirected}\necho $?\n")
        self.shell.stdin.flush()
        try:
            code = self.shell.stdout.readline().strip()
        except BaseException:  # The test's timeout; the shell is still busy.
            self._kill_shell()
            raise
        assert code == "0", f"exit code {code}" if code else "the command ended the shell"
        return self.out.read_text()
