"""Plots the results as SVG. Without matplotlib, prints that there are no plots."""

from measure import spread

try:
    import matplotlib
    from matplotlib.figure import Figure

    # Keep text as text, and make the files reproducible.
    matplotlib.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "rollcall",
            "font.size": 9,
            "axes.titlesize": "medium",
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )
except ImportError:
    Figure = None

OURS = "#1f6fb4"
OTHERS = "#b8c0c8"
LIMIT = "gRPC alone"


class Plots:
    """Writes plots to a directory; `files` lists them."""

    def __init__(self, directory):
        self._directory = directory
        self.files = []
        if Figure is None:
            print("No plots: matplotlib is not installed.")

    def comparison(self, runs):
        if Figure is None:
            return
        # curl only transfers bytes, and would make all others look alike.
        runs = {name: its_runs for name, its_runs in runs.items() if name != "curl"}
        figure = Figure(figsize=(8, 0.5 + 0.4 * len(runs)), layout="constrained")
        speed, cost = figure.subplots(1, 2, sharey=True)
        names = list(runs)
        colors = [OURS if name.startswith("Rollcall") else OTHERS for name in names]
        records = [spread_of(runs[name], "records_per_second", 1e-3) for name in names]
        bars(speed, names, records, colors)
        speed.set_title("thousand records per second")
        server = [spread_of(runs[name], "server_cpu_us") for name in names]
        client = [spread_of(runs[name], "client_cpu_us") for name in names]
        # A library has no server: it does all the work itself.
        own = [s or c for s, c in zip(server, client, strict=True)]
        readers = [c if s else None for s, c in zip(server, client, strict=True)]
        stacked_bars(cost, names, own, readers, colors)
        cost.set_title("CPU µs per record: server or library, and reader (hatched)")
        speed.invert_yaxis()
        self._save(figure, "comparison")

    def sweeps(self, sweeps):
        if Figure is None:
            return
        flat = [sweep for sweep in sweeps.values() if sweep.flat]
        figure = Figure(figsize=(9, 5), layout="constrained")
        axes = figure.subplots(2, len(flat), sharex="col", sharey="row", squeeze=False)
        for column, sweep in enumerate(flat):
            for who, color in ((LIMIT, OTHERS), ("Rollcall", OURS)):
                points = [point for name, point in sweep.runs if name == who]
                if not points:
                    continue
                for row, key, unit in ((0, "server_cpu_us", 1), (1, "records_per_second", 1e-3)):
                    values = [spread_of(sweep.runs[who, point], key, unit) for point in points]
                    middle = [value["median"] for value in values]
                    axes[row][column].plot(points, middle, "o-", color=color, label=who)
                    axes[row][column].fill_between(
                        points,
                        [value["min"] for value in values],
                        [value["max"] for value in values],
                        color=color,
                        alpha=0.25,
                        linewidth=0,
                    )
            points = sorted({point for _, point in sweep.runs})
            axes[1][column].set_xscale("log")
            axes[1][column].set_xticks(points, [f"{point:,}" for point in points])
            axes[1][column].minorticks_off()
            axes[1][column].set_xlabel(sweep.title)
        # Only after everything is drawn, or the axes would no longer adapt.
        for row in axes:
            row[0].set_ylim(bottom=0)
        axes[0][0].set_ylabel("server CPU µs per record")
        axes[1][0].set_ylabel("thousand records per second")
        axes[0][-1].legend(frameon=False)
        self._save(figure, "scaling")

        other = [sweep for sweep in sweeps.values() if not sweep.flat]
        figure = Figure(figsize=(9, 2 * ((len(other) + 1) // 2)), layout="constrained")
        axes = figure.subplots((len(other) + 1) // 2, 2, squeeze=False).flatten()
        for axis, sweep in zip(axes, other, strict=False):
            keys = [key for key in sweep.runs if key[0] != LIMIT]
            values = [spread_of(sweep.runs[key], "server_cpu_us") for key in keys]
            bars(axis, [str(point) for _, point in keys], values, [OURS] * len(keys))
            axis.invert_yaxis()
            axis.set_title(f"server CPU µs per record, by {sweep.title}")
        for axis in axes[len(other) :]:
            axis.set_visible(False)
        self._save(figure, "settings")

    def _save(self, figure, name):
        file = self._directory / f"{name}.svg"
        figure.savefig(file, metadata={"Date": None})
        self.files.append(file)


def spread_of(runs, key, unit=1):
    """None if the runs do not have it."""
    return spread([run[key] * unit for run in runs]) if key in runs[0] else None


def bars(axis, names, spreads, colors):
    """The medians, with minimum and maximum."""
    middle = [value["median"] for value in spreads]
    reach = [
        [value["median"] - value["min"] for value in spreads],
        [value["max"] - value["median"] for value in spreads],
    ]
    axis.barh(names, middle, color=colors, xerr=reach, error_kw={"ecolor": "#555", "elinewidth": 1})
    labels = [f"{value:,.{1 if value < 100 else 0}f}" for value in middle]
    axis.bar_label(axis.containers[-1], labels, padding=6)
    axis.margins(x=0.2)


def stacked_bars(axis, names, spreads, added, colors):
    """The medians, stacked with the additional ones; each with its number."""
    middle = [value["median"] for value in spreads]
    behind = [value["median"] if value else 0 for value in added]
    first = axis.barh(names, middle, color=colors)
    axis.barh(names, behind, left=middle, color=colors, alpha=0.45, hatch="///", edgecolor="white")
    labels = [
        f"{own:,.1f}" + (f" + {reader:,.1f}" if reader else "")
        for own, reader in zip(middle, behind, strict=True)
    ]
    for bar, own, reader, label in zip(first, middle, behind, labels, strict=True):
        y = bar.get_y() + bar.get_height() / 2
        axis.annotate(label, (own + reader, y), (6, 0), textcoords="offset points", va="center")
    axis.margins(x=0.3)
