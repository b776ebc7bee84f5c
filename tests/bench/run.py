"""The benchmarks: CPU per request of evener and of HAProxy in the same run, and their ratio.

    .venv/bin/python tests/bench/run.py [--rounds N] [scenario ...]

HAProxy is Debian's, or the binary named by EVENER_BENCH_HAPROXY. Rounds are interleaved (evener,
HAProxy, evener, ...), each in a fresh process; CPU is the scheduled time of all threads and children
of the proxy divided by the requests; what is quoted is the median of the per-round ratios (above 1:
evener needs less CPU than HAProxy). Instructions per request come from ``perf stat`` where the machine
counts them, else from valgrind's callgrind, as the difference of a long and a short run.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).parent
EVENER = Path(sys.executable).parent / "haproxy"
PROXY_PORT, ORIGIN_PORT, LOG_PORT = 18700, 18701, 18799
LIMIT = 120  # seconds for a proxy to listen; valgrind makes it slow
CALLGRIND = ("valgrind", "--tool=callgrind", "--trace-children=yes", "--instr-atstart=no")

DEFAULTS = """
global
    nbthread 1
    maxconn 4000
defaults
    mode {mode}
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    http-reuse always
"""
RULES = """
frontend f
    bind 127.0.0.1:{proxy}
    acl host_ours hdr(host) -i example.org www.example.org
    acl api path_beg /api/
    acl static path_beg /static/
    http-request set-header x-forwarded-proto http
    use_backend dynamic if api host_ours
    use_backend dynamic if static
    default_backend other
backend other
    server o1 127.0.0.1:{origin}
backend dynamic
    balance roundrobin
    server d1 127.0.0.1:{origin}
    server d2 127.0.0.1:{origin}
"""
PLAIN = """
listen l
    bind 127.0.0.1:{proxy}
    server d1 127.0.0.1:{origin}
    server d2 127.0.0.1:{origin}
"""
RICH = """
frontend f
    bind 127.0.0.1:{proxy}
    stick-table type ip size 10k expire 1m store http_req_rate(10s),conn_cnt
    http-request track-sc0 src
    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 100000000 }}
    acl host_ours hdr(host) -i example.org www.example.org
    acl host_other hdr_end(host) -i .example.net
    acl api path_beg /api/
    acl static path_end .png .jpg .css .js
    acl post method POST PUT PATCH
    acl inside src 10.0.0.0/8 192.168.0.0/16
    acl bot hdr_sub(user-agent) -i bot crawler spider
    acl secure hdr(x-forwarded-proto) https
    acl upgraded hdr(connection) -i upgrade
    acl old path_reg ^/v[0-9]+/old/
    acl health path /health /ready /live
    http-request deny if bot
    http-request deny if old
    http-request deny if inside !host_ours
    http-request return status 200 if health
    http-request redirect scheme https if host_other !secure
    http-request set-var(txn.host) req.hdr(host),lower
    http-request set-var(txn.path) path
    http-request set-header x-forwarded-proto http unless secure
    http-request set-header x-client %[src]
    http-request set-header x-request-start t=%Ts
    http-request add-header x-via evener
    http-request del-header x-internal
    http-request del-header x-debug if !inside
    http-request set-header x-posted yes if post
    http-request replace-path ^/legacy/(.*) /\\1 if {{ path_beg /legacy/ }}
    http-response set-header strict-transport-security max-age=31536000
    http-response set-header x-frame-options DENY
    http-response del-header server
    http-response add-header x-host %[var(txn.host)]
    http-response set-header cache-control no-store if {{ status 500 }}
    use_backend dynamic if upgraded
    use_backend dynamic if api host_ours
    use_backend dynamic if static
    default_backend other
backend other
    server o1 127.0.0.1:{origin}
backend dynamic
    balance roundrobin
    server d1 127.0.0.1:{origin}
    server d2 127.0.0.1:{origin}
"""
PLAIN_RULES = [
    *(f"http-request deny if {{{{ path_beg /private{n}/ }}}}" for n in range(8)),
    *(
        f"http-request deny if {{{{ path_end .{ext} }}}}"
        for ext in ("php", "asp", "cgi", "bak", "sql", "env")
    ),
    "http-request deny if {{ method TRACE TRACK }}",
    *(f"http-request redirect location /new{n} if {{{{ path /old{n} }}}}" for n in range(5)),
    "http-request set-header x-forwarded-proto http",
    "http-request set-header x-request-id %[rand]",
    "http-request set-header x-client %[src]",
    *(f"http-request set-header x-area a{n} if {{{{ path_beg /area{n}/ }}}}" for n in range(5)),
    *(f"http-request del-header x-internal-{n}" for n in range(4)),
    "http-response set-header strict-transport-security max-age=31536000",
    "http-response set-header x-frame-options DENY",
    "http-response set-header x-content-type-options nosniff",
    "http-response del-header server",
    "http-response del-header x-powered-by",
    *(f"use_backend dynamic if {{{{ hdr(host) -i shop{n}.example.org }}}}" for n in range(8)),
    *(f"use_backend dynamic if {{{{ path_beg /app{n}/ }}}}" for n in range(5)),
]
FIFTY = """
frontend f
    bind 127.0.0.1:{proxy}
    RULES
    default_backend other
backend other
    server o1 127.0.0.1:{origin}
backend dynamic
    balance roundrobin
    server d1 127.0.0.1:{origin}
""".replace("RULES", "\n    ".join(PLAIN_RULES))
LOGGED = RULES.replace("frontend f", "frontend f\n    log 127.0.0.1:{log} local0\n    option httplog")


@dataclass(frozen=True)
class Scenario:
    name: str
    config: str
    mode: str
    connections: int
    requests: int
    body: int
    style: str


SCENARIOS = (
    Scenario("keep-alive", RULES, "http", 64, 60_000, 1024, "keep"),
    Scenario("keep-alive-log", LOGGED, "http", 64, 60_000, 1024, "keep"),
    Scenario("rules-30", RICH, "http", 64, 40_000, 1024, "keep"),
    Scenario("rules-50", FIFTY, "http", 64, 20_000, 1024, "keep"),
    Scenario("close", RULES, "http", 64, 15_000, 1024, "close"),
    Scenario("body-1m", RULES, "http", 16, 3_000, 1 << 20, "keep"),
    Scenario("tcp", PLAIN, "tcp", 64, 60_000, 1024, "keep"),
    Scenario("tcp-1m", PLAIN, "tcp", 16, 3_000, 1 << 20, "keep"),
)


def descendants(pid: int) -> list[int]:
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            found += descendants(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """Time on a processor of every thread of the process and of its children."""
    total = 0
    for process in descendants(pid):
        for task in Path(f"/proc/{process}/task").glob("*/schedstat"):
            total += int(task.read_text().split()[0])
    return total / 1e9


def wait_listening(port: int, process: subprocess.Popen[bytes]) -> float:
    """Seconds until a connection is accepted."""
    began = time.monotonic()
    while time.monotonic() - began < LIMIT:
        if process.poll() is not None:
            raise SystemExit(f"the proxy ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return time.monotonic() - began
        except OSError:
            time.sleep(0.002)
    raise SystemExit("the proxy never listened")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


class Bench:
    def __init__(self, folder: Path, haproxy: str) -> None:
        self.folder = folder
        self.programs = {"evener": str(EVENER), "haproxy": haproxy}
        self.load = folder / "load"
        subprocess.run(["cc", "-O2", "-o", str(self.load), str(HERE / "load.c")], check=True)

    def start(
        self, program: str, scenario: Scenario, prefix: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        text = DEFAULTS.format(mode=scenario.mode) + scenario.config.format(
            proxy=PROXY_PORT, origin=ORIGIN_PORT, log=LOG_PORT
        )
        config = self.folder / f"{scenario.name}.cfg"
        config.write_text(text)
        return subprocess.Popen(
            [*prefix, self.programs[program], "-db", "-f", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def drive(self, scenario: Scenario, requests: int) -> dict[str, float]:
        done = subprocess.run(
            [str(self.load), str(PROXY_PORT), str(ORIGIN_PORT), str(scenario.connections), str(requests),
             str(scenario.body), scenario.style],
            capture_output=True, text=True, timeout=90, check=True,
        )  # fmt: skip
        return {key: float(value) for key, value in re.findall(r"(\w+)=([\d.]+)", done.stdout)}

    def measure(self, program: str, scenario: Scenario) -> dict[str, float]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:  # somebody gets the log lines
            sink.bind(("127.0.0.1", LOG_PORT))
            return self.measured(program, scenario)

    def measured(self, program: str, scenario: Scenario) -> dict[str, float]:
        process = self.start(program, scenario)
        try:
            startup = wait_listening(PROXY_PORT, process)
            self.drive(scenario, max(scenario.requests // 20, scenario.connections))
            before = cpu_seconds(process.pid)
            figures = self.drive(scenario, scenario.requests)
            cpu = cpu_seconds(process.pid) - before
        finally:
            stop(process)
        return {**figures, "cpu_us": cpu / figures["requests"] * 1e6, "startup": startup}

    def instructions(self, program: str, scenario: Scenario) -> float | None:
        """User instructions per request, None where perf cannot count them."""
        process = self.start(program, scenario)
        try:
            wait_listening(PROXY_PORT, process)
            self.drive(scenario, 1000)
            pids = ",".join(map(str, descendants(process.pid)))
            perf = subprocess.Popen(
                ["perf", "stat", "-x,", "-e", "instructions:u", "-p", pids],
                stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            time.sleep(0.5)
            figures = self.drive(scenario, 20_000)
            perf.send_signal(signal.SIGINT)
            _, text = perf.communicate(timeout=10)
        finally:
            stop(process)
        counted = re.match(r"(\d+),", text)
        return int(counted.group(1)) / figures["requests"] if counted else None

    def callgrind(self, program: str, scenario: Scenario, requests: int = 1500) -> float | None:
        """The same under valgrind, which counts from the moment it is told to: starting is not counted."""
        out = self.folder / f"{program}.{scenario.name}.%p"
        process = self.start(program, scenario, (*CALLGRIND, f"--callgrind-out-file={out}"))
        try:
            wait_listening(PROXY_PORT, process)
            self.drive(scenario, 300)
            for pid in map(str, descendants(process.pid)):
                subprocess.run(
                    ["callgrind_control", "-i", "on", pid], check=True, capture_output=True, timeout=60
                )
            self.drive(scenario, requests)
        finally:
            process.send_signal(signal.SIGUSR1)  # a clean end, so that every process writes its file
            process.wait(60)
        files = self.folder.glob(f"{program}.{scenario.name}.*")
        sums = [re.search(r"^(?:summary|totals): (\d+)", f.read_text(), re.M) for f in files]
        counted = sum(int(found.group(1)) for found in sums if found)
        return counted / requests if counted else None


def report(bench: Bench, scenario: Scenario, rounds: int) -> None:
    runs: dict[str, list[dict[str, float]]] = {"evener": [], "haproxy": []}
    for _ in range(rounds):
        for program in runs:
            runs[program].append(bench.measure(program, scenario))
    ratios = [h["cpu_us"] / e["cpu_us"] for e, h in zip(runs["evener"], runs["haproxy"], strict=True)]
    median = {p: {k: statistics.median(r[k] for r in rs) for k in rs[0]} for p, rs in runs.items()}
    e, h = median["evener"], median["haproxy"]
    print(
        f"{scenario.name:15} {e['cpu_us']:8.1f} {h['cpu_us']:8.1f} {statistics.median(ratios):6.2f}"
        f" {min(ratios):6.2f}-{max(ratios):<5.2f} {e['p99_us']:7.0f} {h['p99_us']:7.0f}"
        f" {e['startup']:6.2f} {h['startup']:6.2f} {e['errors']:4.0f} {h['errors']:4.0f}",
        flush=True,
    )


def half_load(bench: Bench, rounds: int) -> None:
    """p99 latency with half of the requests HAProxy can answer in a second: the same number for both."""
    scenario = SCENARIOS[0]
    full = bench.measure("haproxy", scenario)
    rate = int(full["requests"] / full["seconds"] / 2)
    paced = replace(scenario, style=f"keep@{rate}", requests=rate * 3)
    runs: dict[str, list[float]] = {"evener": [], "haproxy": []}
    for _ in range(rounds):
        for program, found in runs.items():
            found.append(bench.measure(program, paced)["p99_us"])
    e, h = (statistics.median(runs[program]) for program in ("evener", "haproxy"))
    print(f"p99 at half load ({rate} requests/s): evener {e:.0f} us, haproxy {h:.0f} us, ratio {e / h:.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-instructions", action="store_true")
    parser.add_argument(
        "scenarios",
        nargs="*",
        metavar="scenario",
        help=", ".join([*(s.name for s in SCENARIOS), "half-load"]),
    )
    options = parser.parse_args()
    haproxy = os.environ.get("EVENER_BENCH_HAPROXY") or shutil.which(
        "haproxy", path="/usr/sbin:/usr/bin:/sbin:/bin"
    )
    if haproxy is None:
        raise SystemExit("no HAProxy to compare with: install Debian's package or set EVENER_BENCH_HAPROXY")
    wanted = [s for s in SCENARIOS if not options.scenarios or s.name in options.scenarios]
    with tempfile.TemporaryDirectory(prefix="evb", dir="/tmp") as folder:
        bench = Bench(Path(folder), haproxy)
        print("CPU in us per request, its ratio, p99 in us, start-up in s, errors: evener then haproxy")
        for scenario in wanted:
            report(bench, scenario, options.rounds)
        if not options.scenarios or "half-load" in options.scenarios:
            half_load(bench, options.rounds)
        if not options.no_instructions:
            for program in ("evener", "haproxy"):
                count = bench.instructions(program, SCENARIOS[0]) if shutil.which("perf") else None
                if count is None and shutil.which("valgrind"):
                    count = bench.callgrind(program, SCENARIOS[0])
                shown = f"{count:,.0f}" if count else "not countable here"
                print(f"instructions per keep-alive request, {program}: {shown}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
