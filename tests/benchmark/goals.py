"""The benchmark's goals, and whether they are met."""

import math

from measure import print_table, show


class Goal:
    """`spread` has the "median" and optionally "min" and "max". The median decides whether the
    goal is met. A figure for comparison has no target, and so is never missed."""

    def __init__(self, name, spread, target, at_most, unit="x", note=""):
        self.name = name
        self.spread = spread
        self.target = target
        self.unit = unit
        self.note = note
        self._at_most = at_most
        value = spread["median"]
        if not math.isfinite(value):
            raise ValueError(f"{name}: {value}")
        self.met = target is None or (value <= target if at_most else value >= target)

    @classmethod
    def at_most(cls, name, spread, target, **more):
        return cls(name, spread, target, True, **more)

    @classmethod
    def at_least(cls, name, spread, target, **more):
        return cls(name, spread, target, False, **more)

    @classmethod
    def beside(cls, name, spread, **more):
        return cls(name, spread, None, False, **more)

    def row(self, judged):
        row = [
            self.name + (f"; {self.note}" if self.note else ""),
            show(self.spread, 2, self.unit),
        ]
        if self.target is None:
            return row + ["-", ""]
        bound = "at most" if self._at_most else "at least"
        verdict = "not judged" if not judged else "met" if self.met else "MISSED"
        return row + [f"{bound} {self.target:g}{self.unit}", verdict]

    def json(self, judged):
        result = {"goal": self.name, "value": self.spread, "unit": self.unit}
        if self.target is not None:
            result["at_most" if self._at_most else "at_least"] = self.target
            if judged:
                result["met"] = self.met
        return {**result, **({"note": self.note} if self.note else {})}


def print_goals(goals, judged):
    print_table(["", "found", "goal", ""], [goal.row(judged) for goal in goals])
