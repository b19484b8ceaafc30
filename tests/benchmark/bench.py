"""The end-to-end benchmark, started by `./dev bench`.

Every program is a separate process, and all of them share this machine's cores. A run that fails or
reads a wrong list ends the benchmark with exit code 2, and none of its figures is reported. If a
goal is missed, the exit code is 1.
"""

import argparse
import json
import os
import pathlib
import platform
import resource
import signal
import subprocess
import sys
import traceback

from comparison import Comparison, peers_of
from goals import Goal, print_goals
from latency import FirstRecord, OneRecord
from plots import Plots
from processes import Failure
from programs import Programs
from sweeps import Sweeps

ALL_PARTS = {"comparison", "peers", "latency", "sweeps", "prefetch", "micro"}
PROFILES = {
    "full": ALL_PARTS,
    # Checks that everything works; says nothing about speed.
    "small": ALL_PARTS,
    "quick": {"comparison"},
    "peers": {"comparison", "peers"},
    "latency": {"latency"},
    "sweeps": {"sweeps"},
    "prefetch": {"prefetch"},
    "micro": {"micro"},
}
# The microbenchmark of a record's whole path to the send queue.
RECORD_PATH = "Measure/read_decode_append"
SMALL_SCALE = 0.01
SMALL_ROUNDS = 1
MICRO_SECONDS = 0.5
PREFETCH_PAGES = 20
# With fewer pages, hardly any page is prefetched.
FEWEST_PREFETCH_PAGES = 4
PEERS_FILE = "tests/benchmark/peers/peers.json"


def output_of(*argv):
    """The first line that a program prints; None if it cannot be run."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return (done.stdout or done.stderr).partition("\n")[0].strip()


def machine():
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    packages = ("grpc++", "protobuf", "libcurl", "simdjson")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": model,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "revision": output_of("git", "describe", "--always", "--dirty"),
        "versions": {
            **{name: output_of("pkg-config", "--modversion", name) for name in packages},
            "curl": output_of("curl", "--version"),
            "python": platform.python_version(),
        },
    }


def say(text):
    print(f"\n== {text}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Measure Rollcall end to end")
    parser.add_argument("profile", choices=PROFILES)
    parser.add_argument("--binaries", type=pathlib.Path, default="build/release/bin")
    parser.add_argument("--results", type=pathlib.Path, default="build/bench")
    parser.add_argument("--rounds", type=int, help="number of rounds (default: the profile's)")
    parser.add_argument(
        "--scale", type=float, help="fraction of the work, for trials (default: 1)"
    )
    arguments = parser.parse_args()
    small = arguments.profile == "small"
    if arguments.scale is None:
        arguments.scale = SMALL_SCALE if small else 1
    if arguments.rounds is None and small:
        arguments.rounds = SMALL_ROUNDS
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    if not 0.01 <= arguments.scale <= 1:
        parser.error("--scale must be from 0.01 to 1")

    # A thousand streams need more open files than some systems' soft limits allow.
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))

    os.chdir(pathlib.Path(__file__).parent.parent.parent)
    # Keep the results of a full run: a part or a trial writes to a folder of its own.
    if arguments.scale != 1 and not small:
        arguments.results /= "trial"
    elif arguments.profile != "full":
        arguments.results /= arguments.profile
    arguments.results.mkdir(parents=True, exist_ok=True)
    programs = Programs(arguments.binaries)
    parts = PROFILES[arguments.profile]
    results = {"machine": machine(), "profile": arguments.profile, "scale": arguments.scale}
    goals = []
    plots = Plots(arguments.results)

    print(f"{results['machine']['cores']} cores: {results['machine']['cpu']}")
    if parts != {"micro"}:
        print("Servers, clients and the simulated provider share them.")

    peers = []
    if "peers" in parts:
        say("Other people's libraries")
        peers = peers_of(PEERS_FILE)

    if "comparison" in parts:
        say("One list, one caller")
        results["libraries"] = {peer["name"]: peer["library"] for peer in peers}
        comparison = Comparison(programs, int(200_000 * arguments.scale), peers)
        comparison.run(arguments.rounds or 5)
        comparison.print()
        results["comparison"] = comparison.runs
        goals += comparison.goals()
        plots.comparison(comparison.runs)

    if "latency" in parts:
        say("A list of one record")
        one_record = OneRecord(programs, calls=int(1000 * arguments.scale))
        one_record.run(arguments.rounds or 3)
        one_record.print()
        results["one_record"] = one_record.runs
        goals += one_record.goals()

        say("The first record of a slow page")
        first_record = FirstRecord(programs, peers, arguments.scale)
        first_record.run(arguments.rounds or 3)
        first_record.print()
        results["first_record"] = {"Rollcall": first_record.runs, **first_record.peers}
        goals += first_record.goals()

    if "sweeps" in parts:
        say("Cost of a record as one parameter changes")
        sweeps = Sweeps(programs, arguments.scale)
        sweeps.run(arguments.rounds or 3)
        results["sweeps"] = sweeps.json()
        goals += sweeps.goals()
        plots.sweeps(sweeps.sweeps)

    if "prefetch" in parts:
        say("Prefetch")
        pages = max(int(PREFETCH_PAGES * arguments.scale), FEWEST_PREFETCH_PAGES)
        found = programs.prefetch(
            arguments.results / "prefetch.json", pages, repetitions=arguments.rounds or 3
        )
        results["prefetch"] = found
        goals.append(
            Goal.at_most(
                "a list with prefetch, of the ideal",
                {"median": found["prefetch_median_of_ideal"]},
                found["target_of_ideal"],
            )
        )

    if "micro" in parts:
        say("Each step of a record's path on one core")
        print("Time per page of 1,000 records, or per token; each step includes the ones before.")
        results["micro"] = programs.micro(
            arguments.results / "micro.json", MICRO_SECONDS * arguments.scale
        )
        goals.append(
            Goal.at_least(
                "thousand records a second: page reader, decoder and protobuf on one core",
                {"median": results["micro"][RECORD_PATH]["items_per_second"] / 1000},
                400,
                unit="",
            )
        )

    judged = arguments.scale == 1
    if goals:
        say("Goals")
        print_goals(goals, judged)
        print("  Ratios and differences are taken within a round; these are their medians.")
        if not judged:
            print(f"  Goals are not judged at a scale of {arguments.scale:g}.")
    results["goals"] = [goal.json(judged) for goal in goals]
    file = arguments.results / "results.json"
    file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten to {', '.join(str(path) for path in [file] + plots.files)}")
    return 0 if not judged or all(goal.met for goal in goals) else 1


if __name__ == "__main__":
    # Exit normally, so that no program is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(2)
    except Exception:
        # Not 1, which means that a goal was missed.
        traceback.print_exc()
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
