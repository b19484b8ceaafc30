"""Latency: of a list of one record, and of the first record of a slow page."""

import json
from contextlib import ExitStack

from goals import Goal
from measure import number, print_table, progress, range_of, spread
from processes import Failure, Server, run
from programs import List, curl, fetch
from slow_page import SlowPage

WARM_UP = 50
SLOW_PAGE_SECONDS = 5
SLOW_PAGE_RECORDS = 1000


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]


class OneRecord:
    """Lists of one record, one after the other, compared with the same page fetched by curl."""

    def __init__(self, programs, calls):
        self._programs = programs
        self._calls = calls
        self.runs = {"Rollcall": [], "curl": []}

    def run(self, count):
        of = List("conference", 1)
        with ExitStack() as stack:
            provider = stack.enter_context(self._programs.provider())
            rollcalld = stack.enter_context(self._programs.rollcalld(provider.address))
            url = of.first_page(provider.address, 1000)
            page_bytes = len(fetch(of, url))
            urls = [url] * (WARM_UP + self._calls)
            for number_of_round in range(1, count + 1):
                result = self._programs.read(
                    rollcalld, of, lists=self._calls, warm_up_lists=WARM_UP
                )
                self.runs["Rollcall"].append(result["list_ms"])
                _, _, transfers = curl(of.user, urls)
                if any(size != page_bytes for size, _ in transfers):
                    raise Failure("curl did not receive the simulator's page")
                times = [1e3 * seconds for _, seconds in transfers[WARM_UP:]]
                self.runs["curl"].append(
                    {"p50": percentile(times, 0.5), "p99": percentile(times, 0.99)}
                )
                progress(f"round {number_of_round} of {count}: a list of one record")

    def print(self):
        rows = []
        for name, runs in self.runs.items():
            row = [name]
            for part in ("p50", "p99"):
                row.append(range_of(runs, part, 3))
            rows.append(row)
        print_table(["", "p50 ms", "p99 ms"], rows)
        print(f"  Each round: {self._calls:,} lists of one record, one after the other.")

    def goals(self):
        goals = []
        for part, target in (("p50", 1), ("p99", 3)):
            added = [
                ours[part] - theirs[part]
                for ours, theirs in zip(self.runs["Rollcall"], self.runs["curl"], strict=True)
            ]
            goals.append(
                Goal.at_most(
                    f"added to a list of one record, {part}", spread(added), target, unit=" ms"
                )
            )
        return goals


class FirstRecord:
    """When the records of a slow page arrive."""

    def __init__(self, programs, peers, scale):
        """`scale` makes the page shorter, in records and in seconds."""
        self._programs = programs
        self._peers = [peer for peer in peers if peer["kind"] == "conference"]
        self._records = int(SLOW_PAGE_RECORDS * scale)
        self._seconds = SLOW_PAGE_SECONDS * scale
        self.runs = []
        self.peers = {}

    def run(self, count):
        of = List("conference", self._records)
        with ExitStack() as stack:
            start = stack.enter_context
            provider = start(self._programs.provider())
            page = start(SlowPage(provider.address, of, self._seconds))
            rollcalld = start(self._programs.rollcalld(page.address))
            for number_of_round in range(1, count + 1):
                result = self._programs.read(rollcalld, of, arrivals=True)
                left = page.left_ns()
                arrived = result["arrivals_ns"]
                if len(arrived) != len(left):
                    raise Failure(f"{len(left)} records were sent, and {len(arrived)} arrived")
                delays = [(a - b) / 1e6 for a, b in zip(arrived, left, strict=True)]
                if min(delays) < 0:
                    raise Failure("a record arrived before it was sent")
                self.runs.append(
                    {
                        "since_call_ms": result["first_record_ms"]["p50"],
                        "first_ms": delays[0],
                        "p50_ms": percentile(delays, 0.5),
                        "p99_ms": percentile(delays, 0.99),
                        "max_ms": max(delays),
                    }
                )
                progress(f"round {number_of_round} of {count}: a slow page")
            for peer in self._peers:
                self.peers[peer["name"]] = self._first_record_of(peer, of, page)
                progress(f"a slow page: {peer['name']}")

    def _first_record_of(self, peer, of, page):
        """Milliseconds from the peer's call to its first record."""
        if peer["role"] == "server":
            argv = peer["run"] + ["--listen", "127.0.0.1:0", "--base-url", page.address]
            with Server(peer["name"], argv) as facade:
                return self._programs.read(facade, of, sids_only=True)["first_record_ms"]["p50"]
        argv = peer["run"] + ["--base-url", page.address, "--list", of.sid]
        argv += ["--page-size", of.size, "--records", of.size]
        return json.loads(run(argv).output)["first_record_ms"]

    def print(self):
        since_call = spread([result["since_call_ms"] for result in self.runs])
        rows = [["Rollcall", number(since_call["median"], 1)]]
        rows += [[name, number(value, 1)] for name, value in self.peers.items()]
        print_table(["", "first record after ms"], rows)
        print(f"  A page of {self._records:,} records takes {self._seconds:g} s to arrive.")
        print()
        keys = {"first record": "first_ms", "p50": "p50_ms", "p99": "p99_ms", "most": "max_ms"}
        row = ["Rollcall: ms from a record's own last byte"]
        row += [range_of(self.runs, key, 2) for key in keys.values()]
        print_table([""] + list(keys), [row])

    def goals(self):
        return [
            Goal.at_most(
                "first record of a slow page, after its own last byte",
                spread([result["first_ms"] for result in self.runs]),
                10,
                unit=" ms",
            )
        ]
