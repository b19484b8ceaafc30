"""The environment of a reader: a clone, servers, and values for placeholders."""

import os
import re
import shutil

import programs

COUNT = 5000
CONFERENCE = f"CF9{COUNT:031d}"
ROOM = f"RM9{COUNT:031d}"


class Workspace:
    def __init__(self, folder, simulator, server):
        self.folder, self.simulator = folder, simulator
        self.clone = make_clone(folder / "clone")
        self.etc = make_etc(folder / "etc")
        sids = programs.listed_by_provider(simulator, CONFERENCE)
        assert len(set(sids)) == COUNT, "the simulator's conference has another size"

        token = self.clone / "metrics-token"
        token.write_text(os.urandom(32).hex() + "\n")
        settings = {"metrics_listen": "127.0.0.1:0", "metrics_token": {"file": str(token)}}
        self.monitored = programs.rollcalld(folder, "monitored", simulator, **settings)
        metrics = re.search(r"http://([^/]+)/", self.monitored.process.stdout.readline())[1]

        # Placeholders in the documents, and their values.
        self.placeholders = {
            "AC...": programs.ACCOUNT,
            "TWILIO_AUTH_TOKEN=...": "TWILIO_AUTH_TOKEN=simulator",
            "CF...": CONFERENCE,
            "CP...": sids[COUNT // 2],
            "RM...": ROOM,
            "ROLLCALL/": f"{self.clone}/",
            "DIR": str(folder / "installed"),
            "/etc/rollcall": str(self.etc),
            "FOLDER": str(make_recording(folder, simulator)),
            "HOST:9464": metrics,
            "localhost:50051": "localhost:" + server.rsplit(":", 1)[1],
        }
        path = f"{programs.BIN}:{os.environ['PATH']}"
        self.variables = programs.environment({"ROLLCALL_SERVER": server, "PATH": path})

    def fill_in(self, text, placeholders=None):
        for name, value in (placeholders or self.placeholders).items():
            end = r"(?!\w)" if name[-1].isalpha() else ""
            text = re.sub(rf"(?<!\w){re.escape(name)}{end}", lambda _: value, text)
        return text


def make_clone(clone):
    programs.copy_files(programs.ROOT, clone)
    (clone / "build").symlink_to(programs.ROOT / "build")
    # The clone's own ./dev would build everything again.
    (clone / "dev").write_text(f'#!/bin/sh\nexec "{programs.ROOT}/dev" "$@"\n')
    return clone


def make_etc(etc):
    """Creates the files that the documented configurations name."""
    (etc / "tls").mkdir(parents=True)
    (etc / "secrets").mkdir()
    (etc / "secrets/twilio-api-secret").write_text("secret\n")
    programs.make_certificate(etc / "tls", "tls")
    shutil.copy(etc / "tls/tls.crt", etc / "tls/ca.crt")
    return etc


def make_recording(folder, simulator):
    recording = folder / "recording"
    settings = {"recording": {"folder": str(recording)}}
    server = programs.rollcalld(folder, "recorder", simulator, **settings)
    command = [programs.BIN / "rollcall", "list", "conference", CONFERENCE]
    programs.must([*command, "--server", server.address])
    assert server.stop() == 0, "the recording rollcalld did not exit with 0"
    return recording
