"""The cost of a record as one parameter changes: page size, length of the list, number of streams,
and so on."""

from contextlib import ExitStack

from goals import Goal
from measure import measured, number, print_table, range_of, rounds, spread
from programs import List, Nginx

LIMIT = "gRPC alone"

# Records per run, in one list or several; with streams, in lists of one page.
TOTAL = 200_000
STREAMS_TOTAL = 1_000_000
PAGE = 1000


class Sweep:
    """Points in the order of the table. `flat` requires that a record costs the same at all of
    them."""

    def __init__(self, name, title, flat=False):
        self.name = name
        self.title = title
        self.flat = flat
        self._points = {}
        self.runs = {}  # by contestant and point

    def add(self, who, point, read):
        self._points[who, point] = read

    def measure(self, count):
        self.runs = rounds(self._points, count)

    def print(self):
        limits = any(who == LIMIT for who, _ in self.runs)
        rows = []
        for (who, point), runs in self.runs.items():
            if who == LIMIT:
                continue
            row = [number(point) if isinstance(point, int) else point]
            row += [number(runs[0]["message_bytes"])]
            row += [range_of(runs, "server_cpu_us", 2), range_of(runs, "records_per_second")]
            row += [number(max(run["server_resident_bytes"] for run in runs) / 1e6)]
            if limits:
                limit = self.runs[LIMIT, point]
                row += [range_of(limit, "server_cpu_us", 2), range_of(limit, "records_per_second")]
            rows.append(row)
        header = [self.title, "message bytes", "server CPU us", "records/s", "resident MB"]
        print_table(header + ([f"{LIMIT}: CPU us", "records/s"] if limits else []), rows)

    def goal(self):
        """The largest deviation of a point from the middle of all."""
        medians = [
            spread([run["server_cpu_us"] for run in runs])["median"]
            for (who, _), runs in self.runs.items()
            if who != LIMIT
        ]
        low, high = min(medians), max(medians)
        return Goal.at_most(
            f"server CPU a record, +- over {self.title}",
            {"median": 100 * (high - low) / (high + low)},
            15,
            unit=" %",
            note=f"{low:.1f} to {high:.1f} us, the highest {high / low:.2f}x the lowest",
        )

    def json(self):
        return [
            {"who": who, "point": point, "runs": runs} for (who, point), runs in self.runs.items()
        ]


class Sweeps:
    def __init__(self, programs, scale):
        """`scale` shortens all lists, for trials."""
        self._programs = programs
        self._total = int(TOTAL * scale)
        self._streams_total = int(STREAMS_TOTAL * scale)
        # Shorter lists, but as many: with the most streams, each reads one list.
        self._streams_list = int(PAGE * scale)
        self._longest = int(1_000_000 * scale)
        self._sweeps = []

    def run(self, count):
        for make in (
            self._page_size,
            self._list_size,
            self._streams,
            self._transport,
            self._fields,
            self._message,
            self._latency,
        ):
            # Separate processes for each point, so that none starts with the memory of another's
            # pages.
            with ExitStack() as stack:
                sweep = make(stack.enter_context)
                sweep.measure(count)
            sweep.print()
            print(flush=True)
            self._sweeps.append(sweep)

    def goals(self):
        return [sweep.goal() for sweep in self._sweeps if sweep.flat]

    def json(self):
        return {sweep.name: sweep.json() for sweep in self._sweeps}

    @property
    def sweeps(self):
        return {sweep.name: sweep for sweep in self._sweeps}

    def _read(self, server, of, provider=None, **options):
        def read():
            return measured(lambda: self._programs.read(server, of, **options), server, provider)

        return read

    def _lists(self, of, total):
        """The number of lists that make up the total."""
        return {"lists": max(total // of.size, 1)}

    def _servers(self, start):
        provider = start(self._programs.provider())
        return provider, start(self._programs.rollcalld(provider.address))

    def _page_size(self, start):
        sweep = Sweep("page_size", "records a page", flat=True)
        provider, rollcalld = self._servers(start)
        of = List("conference", self._total)
        for page_size in (50, 100, 200, 500, 1000):
            sweep.add(
                "Rollcall", page_size, self._read(rollcalld, of, provider, page_size=page_size)
            )
        return sweep

    def _list_size(self, start):
        sweep = Sweep("list_size", "records a list", flat=True)
        provider, rollcalld = self._servers(start)
        size = 1000
        while size <= self._longest:
            of = List("conference", size)
            options = self._lists(of, self._total)
            sweep.add("Rollcall", size, self._read(rollcalld, of, provider, **options))
            size *= 10
        return sweep

    def _streams(self, start):
        sweep = Sweep("streams", "streams at once", flat=True)
        provider = start(self._programs.provider())
        server = start(self._programs.message_server())
        of = List("conference", self._streams_list)
        all_streams = (1, 10, 100, 1000)
        # By default, no more than 100 requests would be in flight, and the others would wait. A
        # list has a request for its page, and possibly one for the next.
        requests = 2 * max(all_streams)
        for streams in all_streams:
            # Separate processes, because one keeps memory for a while after a thousand streams.
            rollcalld = start(
                self._programs.rollcalld(provider.address, max_requests_in_flight=requests)
            )
            options = {**self._lists(of, self._streams_total), "streams": streams}
            options["lists"] = max(options["lists"], streams)
            sweep.add("Rollcall", streams, self._read(rollcalld, of, provider, **options))
            sweep.add(LIMIT, streams, self._read(server, of, **options))
        return sweep

    def _transport(self, start):
        sweep = Sweep("transport", "provider's transport")
        provider = start(self._programs.provider())
        of = List("conference", self._total)

        def add(name, address, **of_twilio):
            rollcalld = start(self._programs.rollcalld(address, **of_twilio))
            sweep.add("Rollcall", name, self._read(rollcalld, of, provider))

        add("HTTP/1.1", provider.address)
        for name, http2 in (("HTTP/1.1, TLS", False), ("HTTP/2, TLS", True)):
            nginx = start(Nginx(provider, http2))
            add(name, nginx.address, ca_file=nginx.certificate, http2=http2)
        return sweep

    def _fields(self, start):
        sweep = Sweep("fields", "fields asked for")
        provider, rollcalld = self._servers(start)
        server = start(self._programs.message_server())
        masks = {
            "all": None,
            "3": "participant_sid,call_sid,label",
            "1": "participant_sid",
        }
        for name, mask in masks.items():
            options = {"fields": mask} if mask else {}
            of = List("conference", self._total)
            sweep.add("Rollcall", name, self._read(rollcalld, of, provider, **options))
            options.update({"round": True, "limit": self._total})
            sweep.add(LIMIT, name, self._read(server, List("conference", PAGE), **options))
        return sweep

    def _message(self, start):
        sweep = Sweep("message", "kind of list")
        provider, rollcalld = self._servers(start)
        server = start(self._programs.message_server())
        for kind in ("conference", "room", "live"):
            of = List(kind, self._total)
            sweep.add("Rollcall", kind, self._read(rollcalld, of, provider))
            options = {"round": True, "limit": self._total}
            sweep.add(LIMIT, kind, self._read(server, List(kind, PAGE), **options))
        return sweep

    def _latency(self, start):
        sweep = Sweep("latency", "provider's latency, ms")
        # Several pages per latency, so that few pages take long enough.
        of = List("conference", max(self._total // 4, PAGE))
        for latency in (0, 50, 200):
            provider = start(self._programs.provider("--latency-ms", latency))
            rollcalld = start(self._programs.rollcalld(provider.address))
            sweep.add("Rollcall", latency, self._read(rollcalld, of, provider))
        return sweep
