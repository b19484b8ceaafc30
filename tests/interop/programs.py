"""Runs programs for the tests of clients and documentation: servers, which print their address, and
commands, which exit. Problems raise Failed."""

import atexit
import base64
import collections
import json
import os
import queue
import shutil
import subprocess
import threading
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "build/release/bin"
SERVERS_LOG = ROOT / "build/interop/servers.log"

ACCOUNT = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
# Seconds; long enough for the slowest machine. A program that takes longer hangs.
PATIENCE = 300


class Failed(Exception):
    """A failed check."""


def expect(condition, problem):
    if not condition:
        raise Failed(problem)


class Server:
    """A program that prints its address. Keeps its JSON log, line by line."""

    def __init__(self, *command, **options):
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        atexit.register(self.process.terminate)
        line = self.process.stdout.readline()
        if "listening on " not in line:
            self.process.kill()
            raise RuntimeError(f"{command[0]} did not start: {self.process.stderr.read()}")
        self.log = queue.Queue()
        threading.Thread(target=self._read_log, daemon=True).start()
        self.address = line.split("listening on ")[1].strip()
        self.port = self.address.rsplit(":", 1)[1]

    def _read_log(self):
        for line in self.process.stderr:
            if line.startswith("{"):
                self.log.put(json.loads(line))
            else:
                SERVERS_LOG.open("a").write(line)

    def await_call(self, wanted):
        """Waits until the service logs the end of such a call. Skips other calls: the end of an
        earlier call may be logged after its caller has disconnected."""
        seen = []
        while True:
            try:
                line = self.log.get(timeout=PATIENCE)
            except queue.Empty:
                raise Failed(f"the service did not log such an end of a call, but {seen}") from None
            if line["event"] == "call":
                if wanted(line):
                    return
                seen.append(line)

    def forget(self):
        while not self.log.empty():
            self.log.get()

    def stop(self):
        self.process.terminate()
        return self.process.wait(PATIENCE)


def rollcalld(scratch, name, provider, **settings):
    upstream = {
        "name": "twilio",
        "provider": "twilio",
        "account_sid": ACCOUNT,
        "auth_token": "simulator",
    }
    upstream |= {"insights_base_url": provider, "api_base_url": provider}
    config = scratch / f"{name}.json"
    config.write_text(json.dumps({"listen": "127.0.0.1:0", "upstreams": [upstream], **settings}))
    return Server(BIN / "rollcalld", "--config", config)


def listed_by_provider(address, conference, pages=None, sid="participant_sid"):
    """The participants' sids, or another of their fields, in the provider's own pages at this
    address."""
    sids = []
    url = f"{address}/v1/Conferences/{conference}/Participants?PageSize=1000"
    basic = base64.b64encode(f"{ACCOUNT}:simulator".encode()).decode()
    while url and pages != 0:
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {basic}"})
        with urllib.request.urlopen(request) as answer:
            page = json.load(answer)
        sids += [record[sid] for record in page["participants"]]
        url = page["meta"]["next_page_url"]
        if url:
            url = address + "/" + url.split("/", 3)[3]
        pages = pages and pages - 1
    return sids


def make_certificate(folder, name):
    """Makes a self-signed certificate for localhost. Returns the files of it and its key."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
    command += f" -subj /CN={name} -addext subjectAltName=DNS:localhost"
    must([*command.split(), "-keyout", key, "-out", certificate])
    return certificate, key


Ended = collections.namedtuple("Ended", "code out err")


def environment(settings=None):
    """A program's environment, without the variables set here for Rollcall."""
    ours = ("ROLLCALL_", "TWILIO_", "SIGNALWIRE_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    variables["no_proxy"] = "localhost,127.0.0.1"
    return variables | {name: str(value) for name, value in (settings or {}).items()}


def run(command, cwd=ROOT, settings=None, timeout=PATIENCE):
    """Runs a program and waits for it."""
    try:
        ended = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} did not exit") from None
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def copy_files(source, target):
    """Copies a folder as a clone would have it, including new files."""
    files = must(["git", "ls-files", "-coz", "--exclude-standard", "."], cwd=source)
    for file in files.rstrip("\0").split("\0"):
        if (source / file).is_file():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / file, target / file)


def must(command, **options):
    """Runs a program that must succeed, and returns what it printed."""
    ended = run(command, **options)
    expect(ended.code == 0, f"exit code {ended.code}: {ended.err[-2000:] or ended.out[-2000:]}")
    return ended.out
