#!/usr/bin/env python3
"""layers.py DOCUMENT FILE ...: checks the order in which folders depend on each other.

The table below the heading "Folders" of DOCUMENT names the folders of service/, one a row; each may include its own
headers and those of the rows above it. Files directly in service/ may include every folder. The client includes nothing
of the service, and of the service only service/package includes the client.
"""
import os
import re
import sys

INCLUDE = re.compile(r'\s*#\s*include\s*"((?:service|client|tests)/[^"]+)"')


def folders_of(document):
    """The names in the first column of the table, in its order."""
    names = []
    with open(document, encoding="utf-8") as lines:
        in_section = False
        for line in lines:
            if line.startswith("## "):
                in_section = line.strip() == "## Folders"
            row = re.match(r"\| *([a-z_]+) *\|", line) if in_section else None
            if row and row.group(1) != "folder":
                names.append(row.group(1))
    return names


def folder_of(path):
    """The folder of service/ that holds the path; "" for service/ itself."""
    return os.path.dirname(path).partition("/")[2].partition("/")[0]


def problem_of(path, included, order):
    """Why `path` must not include `included`; None if it may."""
    if included.startswith("tests/"):
        return "tests are not part of the product"
    if path.startswith("client/"):
        return "the client must not depend on the service" if included.startswith("service/") else None
    user = folder_of(path)
    if included.startswith("client/"):
        return None if user == "package" else "the service must not depend on the client"
    used = folder_of(included)
    if user in ("", "package"):
        return None
    if used == "":
        return "a folder must not depend on the files directly in service/"
    if used not in order:
        return None  # reported for the folder itself
    if order.index(used) > order.index(user):
        return f"{used} is below {user} in the table"
    return None


def main(document, *paths):
    order = folders_of(document)
    problems = []
    present = {folder_of(path) for path in paths if path.startswith("service/")} - {"", "package"}
    for folder in sorted(present - set(order)):
        problems.append(f"{document}: the table of folders has no row for service/{folder}")
    for folder in sorted(set(order) - present):
        problems.append(f"{document}: the table of folders has a row for {folder}, but service/{folder} has no sources")
    for path in paths:
        if path.startswith("service/") and folder_of(path) in present - set(order):
            continue
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                include = INCLUDE.match(line)
                problem = problem_of(path, include.group(1), order) if include else None
                if problem:
                    problems.append(f"{path}:{number}: {line.strip()}: {problem}")
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main(*sys.argv[1:])
