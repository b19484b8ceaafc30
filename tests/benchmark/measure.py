"""Rounds of measured runs, and their statistics."""

import statistics
import sys


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def measured(read, server=None, provider=None):
    """The result of one run: what `read` returns (at least records and seconds), with the CPU time
    per record of every participating process."""
    if server:
        server.forget_resident_bytes()
    before = [process and process.cpu_seconds() for process in (server, provider)]
    result = read()
    after = [process and process.cpu_seconds() for process in (server, provider)]
    micros = 1e6 / result["records"]
    result["records_per_second"] = result["records"] / result["seconds"]
    if "cpu_seconds" in result:
        result["client_cpu_us"] = result["cpu_seconds"] * micros
        result["client_cores"] = result["cpu_seconds"] / result["seconds"]
    if server:
        result["server_cpu_us"] = (after[0] - before[0]) * micros
        result["server_resident_bytes"] = server.resident_bytes()
    if provider:
        result["provider_cpu_us"] = (after[1] - before[1]) * micros
    return result


def rounds(contestants, count):
    """Runs each contestant once to warm up, and then all of them in turn for `count` rounds, so
    that other load on the machine affects all alike. Returns the runs of each."""
    runs = {name: [] for name in contestants}
    for number in range(count + 1):
        for name, contestant in contestants.items():
            result = contestant()
            if number > 0:
                runs[name].append(result)
            which = f"round {number} of {count}" if number else "warm-up"
            who = name if isinstance(name, str) else ", ".join(str(part) for part in name)
            progress(f"{which}: {who}: {result['records_per_second']:,.0f} records a second")
    return runs


def progress(text):
    print(f"   {text}", file=sys.stderr, flush=True)


def ratio(above, below):
    """The spread of a ratio, computed within each round. Each argument is a contestant's runs and
    the figure to take from a run."""
    (above_runs, above_key), (below_runs, below_key) = above, below
    return spread(
        [
            of(a, above_key) / of(b, below_key)
            for a, b in zip(above_runs, below_runs, strict=True)
        ]
    )


def of(result, key):
    """A figure of one run: the value of `key`, or its result if it is a function."""
    return key(result) if callable(key) else result[key]


def print_table(header, rows):
    """The first column is text, the others are numbers."""
    table = [header] + rows
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "   ".join(cells).rstrip())


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def show(values, digits=0, unit=""):
    """Formats a spread: the median, with minimum and maximum if they differ."""
    text = number(values["median"], digits) + unit
    if values.get("min") == values.get("max"):
        return text
    return f"{text} ({number(values['min'], digits)} to {number(values['max'], digits)})"


def range_of(runs, key, digits=0):
    """The values of `key` in the runs that have it."""
    return show(spread([run[key] for run in runs]), digits) if key in runs[0] else "-"
