"""Prints a Grafana dashboard's queries as Prometheus recording rules, for promtool to check.

    dashboard_rules.py DASHBOARD.json
"""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    dashboard = json.load(file)
queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
if not queries:
    sys.exit("the dashboard has no queries")
rules = [
    {"record": f"query:{i}", "expr": query.replace("$__rate_interval", "5m").replace("$upstream", ".*")}
    for i, query in enumerate(queries)
]
# JSON is valid YAML.
json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, sys.stdout)
