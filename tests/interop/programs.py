"""The programs that tests of clients and of the documentation run: servers, which say where they
listen, and commands, which come to an end. What goes wrong with one is a Failed."""

import atexit
import base64
import collections
import json
import os
import queue
import subprocess
import threading
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "build/release/bin"
SERVERS_LOG = ROOT / "build/interop/servers.log"

ACCOUNT = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
# Long enough for the slowest machine. Whoever takes longer hangs.
PATIENCE = 300


class Failed(Exception):
    """What a check found wrong."""


def expect(condition, problem):
    if not condition:
        raise Failed(problem)


class Server:
    """A program that prints where it listens. What it logs in JSON is kept, line by line."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        atexit.register(self.process.terminate)
        self.log = queue.Queue()
        threading.Thread(target=self._read_log, daemon=True).start()
        line = self.process.stdout.readline()
        if "listening on " not in line:
            raise RuntimeError(f"{command[0]} did not start: see {SERVERS_LOG}")
        self.address = line.split("listening on ")[1].strip()
        self.port = self.address.rsplit(":", 1)[1]

    def _read_log(self):
        for line in self.process.stderr:
            if line.startswith("{"):
                self.log.put(json.loads(line))
            else:
                SERVERS_LOG.open("a").write(line)

    def call(self):
        """What the service logged of the next call that came to its end."""
        while True:
            try:
                line = self.log.get(timeout=PATIENCE)
            except queue.Empty:
                raise Failed("the service saw no end of the call") from None
            if line["event"] == "call":
                return line

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


def listed_by_provider(simulator, conference, pages=None):
    """The sids as the provider itself lists them, by its own pages."""
    sids = []
    url = f"{simulator.address}/v1/Conferences/{conference}/Participants?PageSize=1000"
    basic = base64.b64encode(f"{ACCOUNT}:simulator".encode()).decode()
    while url and pages != 0:
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {basic}"})
        with urllib.request.urlopen(request) as answer:
            page = json.load(answer)
        sids += [record["participant_sid"] for record in page["participants"]]
        url = page["meta"]["next_page_url"]
        if url:
            url = simulator.address + "/" + url.split("/", 3)[3]
        pages = pages and pages - 1
    return sids


Ended = collections.namedtuple("Ended", "code out err")


def run(command, cwd=ROOT, settings=None, timeout=PATIENCE):
    """Runs a program to its end. What is set here for Rollcall does not reach it."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("ROLLCALL_")
    }
    environment |= {
        "no_proxy": "localhost,127.0.0.1",
        **{name: str(value) for name, value in (settings or {}).items()},
    }
    try:
        ended = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} did not end") from None
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def must(command, **options):
    """Runs a program that must succeed, and returns what it printed."""
    ended = run(command, **options)
    expect(ended.code == 0, f"exit code {ended.code}: {ended.err[-2000:] or ended.out[-2000:]}")
    return ended.out
