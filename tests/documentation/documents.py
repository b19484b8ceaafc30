"""Reads commands and other samples from Markdown."""

import dataclasses
import functools
import re

from markdown_it import MarkdownIt
from not_run import INTEROP
from programs import ROOT, must

# Servers, which keep running for the commands after them.
SERVERS = ("rollcalld --listen", "provider-simulator --listen")


@dataclasses.dataclass(frozen=True)
class Sample:
    """A fenced or indented block, or one command of it."""

    document: "Document"
    line: int
    language: str
    text: str
    paragraph: str  # Before it.

    def __str__(self):
        first_line = self.text.split("\n")[0].strip()[:70]
        what = first_line if self.language == "sh" else self.language
        return f"{self.document.name}:{self.line}: {what}"

    @property
    def command(self):
        return self.text.removeprefix("build/release/bin/")

    @property
    def file(self):
        """The file name of a program: the last one in the paragraph before it."""
        suffix = {"cpp": "cc", "python": "py"}.get(self.language)
        names = re.findall(rf"`(\w+\.{suffix})`", self.paragraph)
        return names[-1] if names else None


class Document:
    def __init__(self, name, text):
        self.name, self.text = name, text
        blocks = [block for block in self._blocks() if block.language != "text"]
        shell = [block for block in blocks if block.language == "sh"]
        self.commands = [command for block in shell for command in split_commands(block)]
        self.samples = [block for block in blocks if block.language != "sh"]
        self.programs = [sample for sample in self.samples if sample.file]
        self.starts_servers = any(line.command.startswith(SERVERS) for line in self.commands)

    def __str__(self):
        return self.name

    def _blocks(self):
        paragraph = ""
        for token in MarkdownIt().parse(self.text):
            if token.type == "inline":
                paragraph = token.content
            elif token.type == "fence":
                yield Sample(self, token.map[0] + 2, token.info, token.content, paragraph)
            elif token.type == "code_block":
                yield Sample(self, token.map[0] + 1, "sh", token.content, paragraph)


def split_commands(block):
    """One command per line; a backslash at the end of a line continues the command."""
    pattern = r"(?s).+" if block.text.startswith(INTEROP) else r"(?:.*\\\n)*.*\S.*\n"
    for match in re.finditer(pattern, block.text):
        line = block.line + block.text.count("\n", 0, match.start())
        yield dataclasses.replace(block, line=line, text=match[0])


@functools.cache
def read_documents():
    """All Markdown files of the repository, tracked or new."""
    files = must(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT).splitlines()
    return [Document(file, (ROOT / file).read_text()) for file in sorted(files)]
