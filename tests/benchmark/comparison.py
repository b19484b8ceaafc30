"""One list, one caller: Rollcall compared with gRPC alone, curl, and the providers' libraries."""

import json
import shlex
from contextlib import ExitStack

from goals import Goal
from measure import measured, number, print_table, progress, range_of, ratio, rounds
from processes import Failure, Server, run
from programs import List, Pages, curl

PAGE_SIZE = 1000
# The message server keeps one page of messages.
MESSAGES = 1000
LIMIT = "gRPC alone"
BATCHED = "gRPC alone, batched"
# About as many as Rollcall's send queue of 32 KiB hands over at once.
BATCH = 38
# The facade reads this fraction of the records; it is slow enough for exact results.
FACADE_PART = 10
# In a shorter list, messages are smaller, because the resume tokens of the first page are shorter.
FEWEST_PAGES = 10
# So that the facade follows at least one link.
FEWEST_FACADE_PAGES = 2


def peers_of(file):
    """The peers in the file. Installs those that are missing."""
    with open(file, encoding="utf-8") as text:
        peers = json.load(text)["peers"]
    for peer in peers:
        progress(f"installing {peer['library']}")
        run(peer["install"])
    return peers


class Comparison:
    def __init__(self, programs, records, peers):
        self._programs = programs
        facade_records = max(records // FACADE_PART, FEWEST_FACADE_PAGES * PAGE_SIZE)
        records = max(records, FEWEST_PAGES * PAGE_SIZE)
        self._lists = {"conference": List("conference", records)}
        self._facade_list = List("conference", facade_records)
        self._peers = peers
        for peer in peers:
            if peer["role"] == "client" and peer["kind"] not in self._lists:
                self._lists[peer["kind"]] = List(peer["kind"], records)
        self.runs = {}

    def run(self, count):
        with ExitStack() as stack:
            start = stack.enter_context
            provider = start(self._programs.provider())
            pages = {
                kind: Pages(provider.address, of, PAGE_SIZE) for kind, of in self._lists.items()
            }
            server = start(self._programs.message_server())
            batched = start(self._programs.message_server("--batch", BATCH))
            rollcalld = start(self._programs.rollcalld(provider.address))
            contestants = {
                LIMIT: lambda: self._read_messages(server),
                BATCHED: lambda: self._read_messages(batched),
                "curl": lambda: self._read_by_curl(pages["conference"], provider),
            }
            for kind in self._lists:
                contestants[self._rollcall(kind)] = (
                    lambda of=self._lists[kind]: self._read(rollcalld, of, provider)
                )
            for peer in self._peers:
                if peer["role"] == "server":
                    argv = peer["run"] + ["--listen", "127.0.0.1:0", "--base-url", provider.address]
                    facade = start(Server(peer["name"], argv))
                    contestants[peer["name"]] = (
                        lambda facade=facade: self._read_facade(facade, provider)
                    )
                else:
                    contestants[peer["name"]] = (
                        lambda peer=peer: self._run_peer(peer, pages[peer["kind"]], provider)
                    )
            self.runs = rounds(contestants, count)
        self._check_messages()

    def _check_messages(self):
        """Fails unless the messages of gRPC alone are as large as Rollcall's."""
        ours = self.runs["Rollcall"][0]["message_bytes"]
        for limit in (LIMIT, BATCHED):
            its = self.runs[limit][0]["message_bytes"]
            if abs(its - ours) > 0.01 * ours:
                raise Failure(f"messages of {its:.0f} bytes from {limit}, {ours:.0f} from Rollcall")

    @staticmethod
    def _rollcall(kind):
        return "Rollcall" if kind == "conference" else f"Rollcall ({kind})"

    def _read_messages(self, server):
        of = self._lists["conference"]
        options = {"round": True, "limit": of.size}
        return measured(
            lambda: self._programs.read(server, List(of.kind, MESSAGES), **options), server
        )

    def _read(self, rollcalld, of, provider):
        return measured(
            lambda: self._programs.read(rollcalld, of, page_size=PAGE_SIZE), rollcalld, provider
        )

    def _read_facade(self, facade, provider):
        # The facade's messages need not have exactly Rollcall's fields.
        options = {"page_size": PAGE_SIZE, "sids_only": True}
        return measured(
            lambda: self._programs.read(facade, self._facade_list, **options), facade, provider
        )

    @staticmethod
    def _read_by_curl(pages, provider):
        def read():
            finished, seconds, transfers = curl(pages.list.user, pages.urls)
            if sum(size for size, _ in transfers) != pages.body_bytes:
                raise Failure("curl did not receive the simulator's pages")
            return {
                "records": pages.list.size,
                "seconds": seconds,
                "cpu_seconds": finished.cpu_seconds,
                "resident_bytes": finished.resident_bytes,
            }

        return measured(read, provider=provider)

    @staticmethod
    def _run_peer(peer, pages, provider):
        def read():
            argv = peer["run"] + ["--base-url", provider.address, "--list", pages.list.sid]
            argv += ["--page-size", PAGE_SIZE, "--records", pages.list.size]
            finished = run(argv)
            result = json.loads(finished.output)
            if result["records"] != pages.list.size or result["sids_sha256"] != pages.sids_sha256:
                said = shlex.join(str(argument) for argument in argv)
                raise Failure(f"not the simulator's list: {said}")
            result["resident_bytes"] = finished.resident_bytes
            return result

        return measured(read, provider=provider)

    def print(self):
        runs = self.runs
        rows = []
        for name, its_runs in runs.items():
            of_limits = [
                ratio((its_runs, "records_per_second"), (runs[limit], "records_per_second"))
                for limit in (LIMIT, BATCHED)
            ]
            whose = "server_" if "server_resident_bytes" in its_runs[0] else ""
            resident = f"{whose}resident_bytes"
            seen = [run[resident] for run in its_runs if run[resident] is not None]
            rows.append(
                [
                    name,
                    number(its_runs[0]["records"]),
                    range_of(its_runs, "records_per_second"),
                    *(number(of_limit["median"], 2) for of_limit in of_limits),
                    range_of(its_runs, "server_cpu_us", 2),
                    range_of(its_runs, "client_cpu_us", 2),
                    range_of(its_runs, "client_cores", 2),
                    range_of(its_runs, "provider_cpu_us", 2),
                    number(max(seen) / 1e6 if seen else None),
                ]
            )
        print_table(
            ["", "records", "records/s", "of gRPC", "of batched", "server CPU us"]
            + ["client CPU us", "client cores", "provider CPU us", "resident MB"],
            rows,
        )
        print("  Medians of the rounds, with minimum and maximum; CPU time per record.")
        print("  Client cores: CPU time over the list's time; near 1, the client may limit.")
        print("  Resident: peak memory of the server, or of the client if there is no server.")

    def goals(self):
        runs = self.runs
        rollcall, limit = runs["Rollcall"], runs[LIMIT]
        goals = [
            Goal.at_most(
                "server CPU a record, of gRPC alone",
                ratio((rollcall, "server_cpu_us"), (limit, "server_cpu_us")),
                2.0,
            ),
            Goal.at_least(
                "records a second on one stream, of gRPC alone",
                ratio((rollcall, "records_per_second"), (limit, "records_per_second")),
                0.6,
            ),
        ]
        for what, key in (
            ("server CPU a record", "server_cpu_us"),
            ("records a second on one stream", "records_per_second"),
        ):
            of_batched = ratio((rollcall, key), (runs[BATCHED], key))
            goals.append(Goal.beside(f"{what}, of {BATCHED}", of_batched))
        libraries = {kind: [] for kind in self._lists}
        for peer in self._peers:
            its_runs = runs[peer["name"]]
            if peer["role"] == "server":
                goals.append(
                    Goal.at_least(
                        f"records a second, of {peer['name']}",
                        ratio((rollcall, "records_per_second"), (its_runs, "records_per_second")),
                        15,
                    )
                )
                continue
            ours = runs[self._rollcall(peer["kind"])]
            alone = ratio((its_runs, "client_cpu_us"), (ours, "server_cpu_us"))
            with_reader = ratio((its_runs, "client_cpu_us"), (ours, all_cpu))
            libraries[peer["kind"]].append((peer["name"], alone, with_reader))
        for its_libraries in libraries.values():
            if not its_libraries:
                continue
            name, alone, with_reader = min(its_libraries, key=lambda each: each[1]["median"])
            title = f"records a CPU second, of the best library, {name}"
            goals.append(Goal.at_least(title, alone, 2.0, note="the server's CPU"))
            goals.append(Goal.beside(title, with_reader, note="the server's and the reader's CPU"))
        return goals


def all_cpu(result):
    return result["server_cpu_us"] + result["client_cpu_us"]
