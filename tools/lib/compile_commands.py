#!/usr/bin/env python3
"""compile_commands.py DATABASE COMPILER FILE ...: prints the command that compiles each file, ended by a NUL byte.

DATABASE is CMake's compile_commands.json; COMPILER takes the place of its compiler. Objects are named
.tidy, not .o, so that no build takes them for its own. Fails if no target compiles a file.
"""
import json
import sys

database, compiler, *files = sys.argv[1:]
with open(database) as entries:
    commands = {entry["file"]: entry["command"] for entry in json.load(entries)}
for file in files:
    if file in commands:
        options = commands[file].split(" ", 1)[1]
        print(compiler, options.replace(".cc.o ", ".cc.tidy "), end="\0")
missing = [file for file in files if file not in commands]
if missing:
    sys.exit("\n".join(f"{file}: not checked, because no target compiles it" for file in missing))
