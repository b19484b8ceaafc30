"""Runs the commands and checks the samples of the documentation."""

import command_checks
import pytest
import sample_checks
from documents import SERVERS, read_documents
from not_run import NOT_RUN, longest_start


def skip_if_not_run(text):
    start = longest_start(NOT_RUN, text)
    if start:
        pytest.skip(NOT_RUN[start])


def run(command, terminal):
    skip_if_not_run(command.command)
    if command.command.startswith(SERVERS):
        terminal.serve(command.text)
        return
    start = longest_start(command_checks.CHECKS, command.command)
    assert start, "no check: add one to command_checks.py, or a reason to not_run.py"
    command_checks.CHECKS[start](terminal.run(command.text))


def test_command(command, terminal_of):
    run(command, terminal_of(command.document))


def test_commands_of_dev_up(dev_up_document, terminal_of):
    for command in dev_up_document.commands:
        run(command, terminal_of(dev_up_document))


def test_servers_end(document, terminal_of):
    terminal_of(document).stop_servers()


def test_sample(sample, workspace):
    skip_if_not_run(sample.text)
    if sample.file:
        commands = sample.document.commands
        assert any(sample.file in command.text for command in commands), "unused sample"
    else:
        check = sample_checks.CHECKS.get(sample.language)
        assert check, "no check: add one to sample_checks.py, or a reason to not_run.py"
        check(workspace, sample)


def test_each_entry_is_in_a_document(dev_up_document):
    starts = set()
    for document in [dev_up_document, *read_documents()]:
        starts |= {longest_start(NOT_RUN, sample.text) for sample in document.samples}
        for text in [command.command for command in document.commands]:
            starts.add(longest_start(NOT_RUN, text) or longest_start(command_checks.CHECKS, text))
    unused = {*NOT_RUN, *command_checks.CHECKS} - starts
    assert not unused, "no document contains these"
