"""The programs of the end-to-end benchmark, and the lists of the provider simulator."""

import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

from processes import Failure, Server, run

ACCOUNT = "AC" + 32 * "a"
PROJECT = "b3877c40-da60-4998-90ad-b792e98472af"
PASSWORD = "simulator"


class List:
    """A generated list of kind "conference", "room" or "live", like the reader's --kind."""

    def __init__(self, kind, size):
        self.kind = kind
        self.size = size
        digits = f"9{size:031d}"
        if kind == "live":
            self.sid = "-".join(
                digits[a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
            )
            account = f"/api/laml/2010-04-01/Accounts/{PROJECT}"
            self.path = f"{account}/Conferences/{self.sid}/Participants"
        elif kind == "room":
            self.sid = f"RM{digits}"
            self.path = f"/v1/Video/Rooms/{self.sid}/Participants"
        else:
            self.sid = f"CF{digits}"
            self.path = f"/v1/Conferences/{self.sid}/Participants"
        self.user = PROJECT if kind == "live" else ACCOUNT

    def first_page(self, base_url, page_size):
        return f"{base_url}{self.path}?PageSize={page_size}"


def fetch(of, url):
    """A page of the list from the simulator, as bytes."""
    credentials = base64.b64encode(f"{of.user}:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {credentials}"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
            return response.read()
    except OSError as error:
        raise Failure(f"{url}: {error}") from error


class Pages:
    """All pages of a list, fetched once each by the link in the page before."""

    def __init__(self, base_url, of, page_size):
        self.list = of
        self.urls = []
        self.body_bytes = 0
        sid_field = "call_sid" if of.kind == "live" else "participant_sid"
        count = 0
        sids = hashlib.sha256()
        url = of.first_page(base_url, page_size)
        while url:
            self.urls.append(url)
            body = fetch(of, url)
            self.body_bytes += len(body)
            page = json.loads(body)
            count += len(page["participants"])
            for participant in page["participants"]:
                sids.update(f"{participant[sid_field]}\n".encode())
            if of.kind == "live":
                link = page["next_page_uri"]
                url = link and base_url + link
            else:
                url = page["meta"]["next_page_url"]
        if count != of.size:
            raise Failure(f"the simulator's list has {count} records, not {of.size}")
        self.sids_sha256 = sids.hexdigest()


class Programs:
    """The programs' paths, and how each is started."""

    def __init__(self, binaries):
        self._binaries = binaries

    def provider(self, *options):
        """The simulator. Its address is a URL."""
        return Server(
            "provider-simulator", [self._binaries / "provider-simulator", "--keep-pages", *options]
        )

    def message_server(self, *options):
        return Server("message_server", [self._binaries / "message_server", *options])

    def rollcalld(self, base_url, **of_twilio):
        """rollcalld, by default configured except for the provider's address and these changes."""
        configuration = {
            "listen": "127.0.0.1:0",
            "upstreams": [
                {
                    "name": "twilio",
                    "provider": "twilio",
                    "account_sid": ACCOUNT,
                    "auth_token": PASSWORD,
                    "insights_base_url": base_url,
                    "api_base_url": base_url,
                    **of_twilio,
                },
                {
                    "name": "signalwire",
                    "provider": "signalwire",
                    "project_id": PROJECT,
                    "api_token": PASSWORD,
                    "base_url": base_url,
                },
            ],
        }
        # rollcalld reads the file before it listens.
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(configuration, file)
            file.flush()
            return Server("rollcalld", [self._binaries / "rollcalld", "--config", file.name])

    def read(self, server, of, **options):
        """Reads the list over gRPC and checks it; returns the reader's results."""
        argv = [self._binaries / "reader", "--server", server.address]
        argv += ["--kind", of.kind, "--size", of.size]
        for name, value in options.items():
            option = "--" + name.replace("_", "-")
            argv += [option] if value is True else [option, value]
        finished = run(argv)
        return {**json.loads(finished.output), "resident_bytes": finished.resident_bytes}

    def prefetch(self, results_file, pages, repetitions):
        """How much of a provider's latency the prefetch hides. The program prints its result and
        writes it to the file."""
        results_file.unlink(missing_ok=True)
        argv = [self._binaries / "prefetch_benchmark", results_file, str(pages), str(repetitions)]
        code = subprocess.run(argv, check=False).returncode
        # Exit code 1 means that the target is missed, which the goals judge.
        if code not in (0, 1) or not results_file.exists():
            raise Failure(f"prefetch_benchmark exited with {code}; see its output above")
        return json.loads(results_file.read_text(encoding="utf-8"))

    def micro(self, results_file, seconds):
        """The cost of each step in a record's path, measured for at least this long each. Prints
        it, too."""
        argv = [self._binaries / "record_path_benchmark", "--benchmark_out_format=json"]
        argv += [f"--benchmark_min_time={seconds:g}"]
        done = subprocess.run([*argv, f"--benchmark_out={results_file}"], check=False)
        if done.returncode != 0:
            raise Failure(f"exit code {done.returncode} of record_path_benchmark")
        # The file also names the machine.
        steps = json.loads(results_file.read_text(encoding="utf-8"))["benchmarks"]
        for step in steps:
            if step.get("error_occurred"):
                raise Failure(f"{step['name']}: {step['error_message']}")
        return {
            step["name"]: {key: step[key] for key in ("cpu_time", "time_unit", "items_per_second")}
            for step in steps
        }


def curl(user, urls):
    """Fetches the URLs one after the other over one connection, to /dev/null. Returns the program's
    resources, and the bytes and seconds of each URL."""
    with tempfile.NamedTemporaryFile("w", suffix=".curl") as file:
        for url in urls:
            file.write(f'url = "{url}"\noutput = "/dev/null"\n')
        file.flush()
        begin = time.monotonic()
        finished = run(
            ["curl", "-sS", "--fail", "--user", f"{user}:{PASSWORD}"]
            + ["--write-out", "%{size_download} %{time_total}\\n", "--config", file.name]
        )
        seconds = time.monotonic() - begin
    transfers = [line.split() for line in finished.output.splitlines()]
    if len(transfers) != len(urls):
        raise Failure(f"curl fetched {len(transfers)} pages, not {len(urls)}")
    return finished, seconds, [(int(size), float(total)) for size, total in transfers]


class Nginx:
    """nginx as a provider's TLS front, with its own certificate."""

    def __init__(self, provider, http2):
        self._directory = tempfile.TemporaryDirectory(prefix="rollcall-nginx-")
        self._path = self._directory.name
        self.certificate = os.path.join(self._path, "certificate.pem")
        run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            + ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
            + ["-addext", "subjectAltName=DNS:localhost", "-out", self.certificate]
            + ["-keyout", os.path.join(self._path, "key.pem")]
        )
        # Another process may take the free port first.
        for attempts_left in reversed(range(20)):
            try:
                self._start(provider, http2)
                return
            except Failure:
                if attempts_left == 0:
                    self._directory.cleanup()
                    raise

    def _start(self, provider, http2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with open(os.path.join(self._path, "nginx.conf"), "w", encoding="utf-8") as file:
            # As root, nginx would run its workers as a user without access to the directory.
            file.write("user root;\n" if os.geteuid() == 0 else "")
            file.write(
                f"""
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000;
  ssl_certificate certificate.pem;
  ssl_certificate_key key.pem;
  upstream provider {{
    server {provider.address.partition("//")[2]};
    keepalive 16;
    keepalive_requests 1000000;
  }}
  server {{
    listen 127.0.0.1:{port} ssl{" http2" if http2 else ""};
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_buffers 16 64k;
      proxy_max_temp_file_size 0;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header Connection "";
    }}
  }}
}}
"""
            )
        pid_file = os.path.join(self._path, "nginx.pid")

        def listens():
            time.sleep(0.01)
            return os.path.exists(pid_file) and os.path.getsize(pid_file) > 0

        # Debian's directory, which is not in every user's PATH.
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self._server = Server(
            "nginx",
            [program, "-p", self._path, "-c", "nginx.conf", "-e", "error.log"],
            ready=listens,
        )
        self.address = f"https://localhost:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        try:
            self._server.__exit__(*error)
        finally:
            self._directory.cleanup()
