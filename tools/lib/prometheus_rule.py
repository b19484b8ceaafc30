"""Prints the alerts of a Prometheus rule file as a PrometheusRule for the Prometheus Operator.

    prometheus_rule.py RULES.yaml
"""

import sys

HEADER = """\
# Generated from rules.yaml. After a change of that file, `./dev lint monitoring` prints the command
# that generates this one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: rollcalld
spec:
"""

with open(sys.argv[1], encoding="utf-8") as file:
    lines = file.read().splitlines()
begin = lines.index("groups:")
print(HEADER + "\n".join("  " + line if line else "" for line in lines[begin:]))
