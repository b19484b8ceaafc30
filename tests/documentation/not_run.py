"""Commands and samples that are not run here."""

# Beginning of a block that runs a client of tests/interop; such a block is skipped as a whole.
INTEROP = "cd tests/interop/"

# Beginnings of commands and samples that are not run, with the reason.
NOT_RUN = {
    "./dev test": "a separate step of .ci/run",
    "./dev lint": "a separate step of .ci/run",
    ".ci/run": "runs these tests",
    "./dev package test": "needs root and sets up a separate Debian",
    "apt install ./rollcall": "./dev package test runs it in a separate Debian",
    "editor": "interactive",
    "install -m 600 token": "./dev package test runs it in a separate Debian",
    "systemctl": "./dev package test runs it in a separate Debian",
    "[Service]": "./dev package test makes the service listen on a Unix socket",
    "rollcalld --check-upstreams": "calls the provider; upstream_check_test calls the simulator",
    "kubectl": "needs a cluster: ./dev k8s-test",
    "./dev k8s-test": "needs a cluster",
    "apiVersion:": "./dev lint manifests checks it",
    INTEROP: "./dev interop runs it",
    "ROLLCALL_SEED=": "needs the test programs; ./dev test runs 1,000 other seeds",
}


def longest_start(starts, text):
    """The longest of `starts` that the text begins with, or None."""
    return max((start for start in starts if text.startswith(start)), key=len, default=None)


def reason_not_to_run(text):
    return NOT_RUN.get(longest_start(NOT_RUN, text))
