#!/usr/bin/env python3
"""compile_commands.py DATABASE FILE ...: prints the command that compiles each file, ended by a NUL byte.

DATABASE is CMake's compile_commands.json. Objects are named .tidy, not .o, so that no build takes them for its own.
"""
import json
import sys

with open(sys.argv[1]) as database:
    commands = {entry["file"]: entry["command"] for entry in json.load(database)}
for file in sys.argv[2:]:
    if file in commands:
        print(commands[file].replace(".cc.o ", ".cc.tidy "), end="\0")
    else:
        print(f"{file}: not checked, because no target compiles it", file=sys.stderr)
