"""Reads the simulator's lists through rollcalld on the cluster that KUBECONFIG names. Meanwhile it
rolls the Deployment, deletes pods, evicts them as a node drain does, and scales. Every list must be
complete. `./dev k8s-test` runs it. Prints its observations, and exits with 0 on success. Uses a
namespace of its own, which it deletes at the end."""
import argparse
import json
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(ROOT, "build", "k8s-test")
PODS = "app.kubernetes.io/name=rollcalld"
# The target that every caller should use.
SERVER = "dns:///rollcalld-headless:50051"
# The oldest minor version of Kubernetes that accepts the manifests unchanged.
MODERN = 30


def say(text):
    print("\n== " + text, flush=True)


class Cluster:
    def __init__(self, namespace):
        self.namespace = namespace

    def kubectl(self, *args, stdin=None, check=True):
        for wait in (1, 2, 4, 8, 0):
            done = subprocess.run(["kubectl", "-n", self.namespace, *args], input=stdin, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            # kubectl prints this if it did not reach the server. Retry, because a busy API server
            # is not under test.
            if "Unable to connect to the server" not in done.stderr:
                break
            time.sleep(wait)
        if check and done.returncode != 0:
            raise RuntimeError(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
        return done

    def json(self, *args):
        return json.loads(self.kubectl(*args, "-o", "json").stdout)

    def minor_version(self):
        version = self.json("version")["serverVersion"]
        return int("".join(c for c in version["minor"] if c.isdigit())), version["gitVersion"]

    def running_pods(self):
        """Names of rollcalld's pods that are ready and not terminating, oldest first."""
        pods = []
        for pod in self.json("get", "pods", "-l", PODS)["items"]:
            ready = any(c["type"] == "Ready" and c["status"] == "True"
                        for c in pod["status"].get("conditions", []))
            if ready and "deletionTimestamp" not in pod["metadata"]:
                pods.append((pod["status"]["startTime"], pod["metadata"]["name"]))
        return [name for _, name in sorted(pods)]

    def oldest_pod(self):
        pods = self.running_pods()
        if not pods:
            raise RuntimeError("no pod of rollcalld is ready")
        return pods[0]

    def await_pods(self, number):
        while len(self.running_pods()) < number:
            time.sleep(0.5)


class Load:
    """A Job that runs list-load, and its output."""

    def __init__(self, cluster, image, name, args):
        self.cluster = cluster
        self.name = name
        self.progress = []
        self.summary = None
        self._changed = threading.Condition()
        self._begun = time.monotonic()
        manifest = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name},
            "spec": {"backoffLimit": 0, "template": {"spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "securityContext": {"runAsNonRoot": True, "runAsUser": 65532,
                                    "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [{
                    "name": "list-load",
                    "image": image,
                    "command": ["/usr/bin/list-load", "--server", SERVER, *args],
                    "securityContext": {"allowPrivilegeEscalation": False,
                                        "readOnlyRootFilesystem": True,
                                        "capabilities": {"drop": ["ALL"]}},
                }]}}}}
        cluster.kubectl("create", "-f", "-", stdin=json.dumps(manifest))
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self):
        # Retry until the container has started, and when the log stream breaks off.
        while not self._over():
            command = ["kubectl", "-n", self.cluster.namespace, "logs", "-f", "job/" + self.name]
            if self.progress:
                command.append("--tail=5")
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  text=True) as logs:
                for line in logs.stdout:
                    self._read(line)
            time.sleep(0.5)

    def _over(self):
        if self.summary:
            return True
        status = self.cluster.kubectl("get", "job", self.name, "-o", "jsonpath={.status.failed}",
                                      check=False)
        if status.stdout.strip() in ("", "0"):
            return False
        # list-load exits with an error if lists were incomplete; its last lines say which.
        self._read(self.cluster.kubectl("logs", "job/" + self.name, "--tail=1", check=False).stdout)
        with self._changed:
            self.summary = self.summary or {"crashed": True}
            self._changed.notify_all()
        return True

    def _read(self, line):
        try:
            seen = json.loads(line)
        except ValueError:
            print(line, end="", flush=True)  # gRPC's log
            return
        with self._changed:
            if "summary" in seen:
                self.summary = seen
            else:
                self.progress.append((time.monotonic() - self._begun, seen))
            self._changed.notify_all()

    def records(self):
        return self.progress[-1][1]["records"] if self.progress else 0

    def await_records(self, number):
        """Waits until this many records have arrived; fails if the lists end before."""
        with self._changed:
            self._changed.wait_for(lambda: self.summary or self.records() >= number)
            if self.summary:
                raise RuntimeError(f"{self.name} ended before {number} records: {self.summary}")

    def is_running(self):
        return self.summary is None

    def end(self):
        with self._changed:
            self._changed.wait_for(lambda: self.summary)
        return self.summary


class Test:
    def __init__(self, cluster, options):
        self.cluster = cluster
        self.options = options
        self.failures = []
        self.rows = []

    def check(self, good, what):
        if not good:
            self.failures.append(what)
            print("FAILED: " + what, flush=True)

    def lists(self, name, *args):
        return Load(self.cluster, self.options.demo_image, name,
                    ["--callers", "50", "--size", str(self.options.size), *args])

    def total(self):
        return 50 * self.options.size

    def whole(self, name, load):
        """Expects that the client library completed every list."""
        summary = load.end()
        self.rows.append((name, summary))
        self.check(summary.get("whole") == 50 and summary.get("lists") == 50, f"{name}: {summary}")
        self.check(summary.get("calls", 0) > 50, f"{name}: no call broke off, so nothing was tested")

    def run(self):
        for step in (self.roll, self.delete, self.evict, self.scale):
            if self.options.only and step.__name__ not in self.options.only:
                continue
            say(step.__doc__.strip())
            step()
            self.cluster.kubectl("delete", "jobs", "--all")

    def roll(self):
        """A rolling update, with callers that use the client library and callers that do not"""
        load = self.lists("roll")
        plain = self.lists("roll-plain", "--plain")
        load.await_records(self.total() // 20)
        begun = time.monotonic()
        self.cluster.kubectl("rollout", "restart", "deployment/rollcalld")
        self.cluster.kubectl("rollout", "status", "deployment/rollcalld", "--timeout=15m")
        print(f"rolled out in {time.monotonic() - begun:.0f} s, at {load.records()} records", flush=True)
        self.check(load.is_running(), "roll: the lists ended before the roll-out")
        self.whole("rolling update", load)
        self.rows.append(("the same, plain callers", plain.end()))

    def delete(self):
        """Pods are deleted one after another, the last one by force"""
        load = self.lists("delete")
        for number in range(3):
            load.await_records(self.total() * (1 + 2 * number) // 10)
            pod = self.cluster.oldest_pod()
            force = ["--grace-period=0", "--force"] if number == 2 else []
            self.cluster.kubectl("delete", "pod", pod, "--wait=false", *force)
            print(f"deleted {pod}{' by force' if force else ''} at {load.records()} records", flush=True)
            self.cluster.await_pods(3)
        self.whole("deleted pods", load)

    def evict(self):
        """All pods are evicted, as fast as the disruption budget allows"""
        load = self.lists("evict")
        load.await_records(self.total() // 10)
        refused = 0
        for pod in self.cluster.running_pods():
            eviction = {"apiVersion": self.options.eviction, "kind": "Eviction",
                        "metadata": {"name": pod, "namespace": self.cluster.namespace}}
            path = f"/api/v1/namespaces/{self.cluster.namespace}/pods/{pod}/eviction"
            while self.cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction),
                                       check=False).returncode != 0:
                refused += 1
                time.sleep(1)
            print(f"evicted {pod} at {load.records()} records", flush=True)
        self.check(refused > 0, "evict: the disruption budget refused no eviction")
        self.check(load.is_running(), "evict: the lists ended before the evictions")
        self.whole("evicted pods", load)

    def scale(self):
        """Scales up, and then down so far that pods with running lists stop"""
        load = self.lists("scale")
        load.await_records(self.total() // 10)
        for number in (5, 1, 3):
            self.cluster.kubectl("scale", "deployment/rollcalld", f"--replicas={number}")
            self.cluster.kubectl("rollout", "status", "deployment/rollcalld", "--timeout=15m")
            print(f"{number} pods at {load.records()} records", flush=True)
        self.whole("scaled to 5, 1, 3", load)

    def report(self):
        say("Results")
        print(f"{'':26}{'lists':>7}{'whole':>7}{'failed':>8}{'missing':>9}{'repeated':>10}{'calls':>7}")
        for name, row in self.rows:
            print(f"{name:26}{row.get('lists', 0):7}{row.get('whole', 0):7}{row.get('failed', 0):8}"
                  f"{row.get('missing', 0):9}{row.get('repeated', 0):10}{row.get('calls', 0):7}")
            for failure, times in row.get("failures", {}).items():
                print(f"{'':26}  {times} x {failure}")
        for failure in self.failures:
            print("FAILED: " + failure)


def write_overlay(options, old):
    """The demo overlay, with the test's images and simulator speed."""
    os.makedirs(WORK, exist_ok=True)
    images = []
    for name, image in (("localhost/rollcalld", options.image),
                        ("localhost/rollcall-demo", options.demo_image)):
        repository, tag = image.rsplit(":", 1)
        images.append({"name": name, "newName": repository, "newTag": tag})
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": options.namespace,
        "resources": ["../../k8s/overlays/demo"],
        "components": ["../../tests/kubernetes/old-cluster"] if old else [],
        "images": images,
        "patches": [{
            "target": {"kind": "Deployment", "name": "simulator"},
            "patch": json.dumps([
                {"op": "add", "path": "/spec/template/spec/containers/0/args/-",
                 "value": f"--bytes-per-second={options.pace}"}])}],
    }
    with open(os.path.join(WORK, "kustomization.yaml"), "w", encoding="utf-8") as out:
        json.dump(overlay, out, indent=2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kustomize", required=True)
    parser.add_argument("--image", required=True, help="rollcalld's image, as the cluster names it")
    parser.add_argument("--demo-image", required=True)
    parser.add_argument("--namespace", default=f"rollcall-test-{os.getpid()}")
    parser.add_argument("--size", type=int, default=20000, help="participants of each of 50 lists")
    parser.add_argument("--pace", type=int, default=40000, help="bytes per second of each page")
    parser.add_argument("--only", nargs="*", help="roll, delete, evict, scale")
    parser.add_argument("--keep", action="store_true", help="do not delete the namespace")
    options = parser.parse_args()

    cluster = Cluster(options.namespace)
    minor, version = cluster.minor_version()
    old = minor < MODERN
    options.eviction = "policy/v1beta1" if minor < 22 else "policy/v1"
    say(f"Kubernetes {version}{', which is too old for some of the manifests' if old else ''}: "
        f"namespace {options.namespace}")
    write_overlay(options, old)
    rendered = subprocess.run([options.kustomize, "build", WORK], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
    test = Test(cluster, options)
    try:
        cluster.kubectl("apply", "-f", "-", stdin=rendered)
        for deployment in ("simulator", "rollcalld"):
            cluster.kubectl("rollout", "status", f"deployment/{deployment}", "--timeout=5m")
        test.run()
    except RuntimeError as error:
        test.check(False, str(error))
        print(cluster.kubectl("get", "pods,events", check=False).stdout)
    finally:
        test.report()
        if not options.keep:
            cluster.kubectl("delete", "namespace", options.namespace, "--wait=false", check=False)
    return 1 if test.failures else 0


if __name__ == "__main__":
    sys.exit(main())
