"""Checks samples that are not commands, by the language of their fence."""

import json
import os
import re

from programs import BIN, ROOT, must


def check_json(workspace, sample):
    value = json.loads(workspace.fill_in(sample.text))
    if "callers" in value:
        check_policy(workspace, value, sample.document)
    else:
        check_config(workspace, value)


def check_config(workspace, config):
    file = workspace.folder / "config.json"
    file.write_text(json.dumps(config))
    command = [BIN / "rollcalld", "--config", file, "--check-config"]
    summary = must(command, settings={"SIGNALWIRE_API_TOKEN": "token"})
    for upstream in config["upstreams"]:
        assert upstream["name"] in summary, f"no {upstream['name']} in:\n{summary}"


def check_policy(workspace, policy, document):
    """Checks the policy with the document's configuration."""
    file = workspace.folder / "policy.json"
    file.write_text(json.dumps(policy))
    text = next(sample.text for sample in document.samples if '"upstreams": [' in sample.text)
    config = json.loads(workspace.fill_in(text))
    ca_file = str(workspace.etc / "tls/ca.crt")
    tls = config["tls"] | {"client_ca_file": ca_file, "client_certificates": "optional"}
    check_config(workspace, config | {"policy_file": str(file), "tls": tls})


def check_promql(workspace, sample):
    for metric in re.findall(r"\brollcall_\w+", sample.text):
        assert f"| `{metric}` |" in sample.document.text, f"{metric} is in no table of the document"
    file = workspace.folder / "rules.json"  # JSON is valid YAML.
    rules = [{"record": "sample:0", "expr": sample.text}]
    file.write_text(json.dumps({"groups": [{"name": "documentation", "rules": rules}]}))
    must([os.environ["PROMTOOL"], "check", "rules", file])


def check_cpp(workspace, sample):
    """Compiles statements that use the simulator."""
    assert "rollcall::simulator::" in sample.text, "the paragraph before it names no `FILE.cc`"
    file = workspace.folder / "statements.cc"
    statements = workspace.fill_in(sample.text)
    file.write_text(f'#include "tests/simulator/replay.h"\nint main() {{\n{statements}}}\n')
    must(["g++", "-std=c++20", "-Wall", "-Werror", "-fsyntax-only", "-I", ROOT, file])


CHECKS = {"json": check_json, "promql": check_promql, "cpp": check_cpp}
