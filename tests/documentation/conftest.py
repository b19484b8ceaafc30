"""Makes each command and sample a test, and starts the servers that they need."""

import functools
import re
import subprocess
import textwrap

import pytest
from documents import Document, read_documents
from programs import PATIENCE, ROOT, environment
from terminal import Terminal
from workspace import Workspace


def pytest_generate_tests(metafunc):
    documents = read_documents()
    cases = {
        "document": [document for document in documents if document.starts_servers],
        "command": [command for document in documents for command in document.commands],
        "sample": [sample for document in documents for sample in document.samples],
    }
    for argument in cases.keys() & set(metafunc.fixturenames):
        metafunc.parametrize(argument, cases[argument], ids=str)


@pytest.fixture(scope="session")
def dev_up_output(request):
    """The output of `./dev up`. Its servers run as long as the tests."""
    command = [ROOT / "dev", "up", "--no-install"]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = subprocess.Popen(command, env=environment(), text=True, **pipes)
    request.addfinalizer(process.terminate)
    output = ""
    while "\nCtrl-C " not in output:
        line = process.stdout.readline()
        if not line:
            pytest.exit(f"./dev up ended before it was ready:\n{output[-2000:]}", returncode=1)
        output += line
    yield output
    process.terminate()
    output = process.stdout.read()
    assert process.wait(PATIENCE) == 0, f"./dev up did not exit with 0:\n{output[-2000:]}"


@pytest.fixture(scope="session")
def dev_up_document(dev_up_output):
    """The commands that `./dev up` prints."""
    commands = re.search(r"^== Ready.*\n((?:.+\n)+)", dev_up_output, re.M)[1]
    return Document("./dev up", textwrap.indent(commands, "    "))


@pytest.fixture(scope="session")
def workspace(dev_up_output, tmp_path_factory):
    addresses = re.findall(r"^(?:rollcalld )?listening on (\S+)$", dev_up_output, re.M)
    workspace = Workspace(tmp_path_factory.getbasetemp(), *addresses)
    yield workspace
    workspace.monitored.stop()


@pytest.fixture(scope="session")
def terminal_of(workspace, request):
    """Returns a document's terminal, which its first command opens."""

    @functools.cache
    def open_terminal(document):
        for program in document.programs:
            (workspace.clone / program.file).write_text(workspace.fill_in(program.text))
        terminal = Terminal(workspace)
        request.addfinalizer(terminal.close)
        return terminal

    return open_terminal
