"""Checks what a command printed or wrote. pytest shows it if a check fails."""

import csv
import hashlib
import json
import re
from pathlib import Path

from programs import listed_by_provider, must
from workspace import CONFERENCE

# Expected output of commands. If a command prints little, later commands show what it did.
ANYTHING = ""
NOTHING = r"\A\Z"
FIRST_WORDS = r"^(\S+)"
PARTICIPANT_SIDS = r'"participant_?[sS]id": ?"(\w+)"'


def prints(pattern):
    def check(run):
        assert re.search(pattern, run.output, re.M), f"no '{pattern}' in the output"

    return check


def lists(pattern, sid="participant_sid"):
    def check(run):
        assert_list(run, re.findall(pattern, run.output, re.M), sid)

    return check


def assert_list(run, found, sid="participant_sid"):
    """Expects exactly the provider's list of the conference."""
    conference = (re.findall(r"\bCF[0-9a-f]{32}\b", run.command) or [CONFERENCE])[0]
    listed = listed_by_provider(run.workspace.simulator, conference, sid=sid)
    limit = re.search(r"(?:--limit |PageSize=)(\d+)", run.command)
    listed = listed[: int(limit[1])] if limit else listed
    assert found == listed, f"{len(found)} sids, not the provider's {len(listed)} in its order"


def rows(run):
    lines = run.output.splitlines()
    return list(csv.DictReader(lines) if "--output csv" in run.command else map(json.loads, lines))


def conference(run):
    found = [row.get("conference_participant_summary", row) for row in rows(run)]
    assert_list(run, [row["participant_sid"] for row in found])


def room(run):
    """Expects as many participants as the sid encodes."""
    found, count = rows(run), int(re.search(r"\bRM9(\d{31})\b", run.command)[1])
    assert len(found) == count, f"{len(found)} rows, not {count}"
    fields = re.search(r"--fields (\S+)", run.command)
    if fields:
        assert list(found[0]) == fields[1].split(","), f"columns {list(found[0])}"
    else:
        sids = {row["room_participant_summary"]["participant_sid"] for row in found}
        assert len(sids) == count, f"{len(sids)} different sids, not {count}"


def muted(run):
    unfiltered = ["bash", "-c", run.command.replace(" --muted", "")]
    unfiltered = must(unfiltered, cwd=run.workspace.clone, settings=run.workspace.variables)
    unfiltered = [json.loads(line) for line in unfiltered.splitlines()]
    expected = [row for row in unfiltered if row["live_participant"].get("muted")]
    assert rows(run) == expected != unfiltered, f"not the {len(expected)} muted participants"


def participant(run):
    found = json.loads(run.output)["conference_participant_summary"]["participant_sid"]
    assert found in run.command, f"participant {found}"


def packages(run):
    files = [Path(line).name for line in run.output.splitlines() if line.endswith(".deb")]
    names = {file.split("_")[0] for file in files}
    assert names == {"rollcall", "librollcall-dev"}, f"packages {names}"


def hash_of_token(run):
    token = (run.workspace.clone / "token").read_bytes()
    assert run.output.split()[0] == hashlib.sha256(token).hexdigest(), "not the token's hash"


# Checks by the beginning of the command; the longest match counts.
CHECKS = {
    "./dev demo": prints("Everything works"),
    "./dev package": packages,
    "export": prints(NOTHING),
    "rollcall list conference": conference,
    "rollcall list room": room,
    "rollcall list live": muted,
    "rollcall get conference": participant,
    "cmake --install": prints(ANYTHING),
    "g++": prints(NOTHING),
    "./list": lists(FIRST_WORDS, sid="call_sid"),
    "python3 -m venv": prints(NOTHING),
    ".venv/bin/pip install": prints(ANYTHING),
    ".venv/bin/python -m grpc_tools.protoc": prints(NOTHING),
    ".venv/bin/python list.py": lists(FIRST_WORDS, sid="call_sid"),
    "(cd tests/interop/go": prints(NOTHING),
    "tests/interop/go/bin/listparticipants": lists(FIRST_WORDS),
    "grpcurl -plaintext localhost:50051 list": prints(r"^rollcall\.v1\.ParticipantService$"),
    "grpcurl -plaintext localhost:50051 describe": prints(r"rollcall\.v1\.Participant\w* is a "),
    "grpcurl -plaintext -d": lists(PARTICIPANT_SIDS),
    "protoc": prints(NOTHING),
    "grpcurl -plaintext -protoset": lists(PARTICIPANT_SIDS),
    "buf curl": lists(PARTICIPANT_SIDS),
    "ghz": prints(r"\[OK\] +500 responses"),
    "openssl rand": prints(r"\A[0-9a-f]{64}\Z"),
    "openssl dgst": hash_of_token,
    "curl -H": prints(r"(?s)<html.*twilio"),
    "curl -u": lists(PARTICIPANT_SIDS),
}
