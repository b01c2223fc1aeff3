#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drives the service over HTTP as a stranger would: stranger.py <service>.

It knows nothing of the program but its address: wrong methods, wrong names, no authorisation, broken
requests, dependencies that fail and hang, many readers of events, readers that do not read, and the
end by SIGTERM. Every wait is bounded, and generous: a busy machine is slow, not wrong.
"""

import contextlib
import http.client
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time

PATIENCE = 60  # Seconds.
TOKEN = "s3cret"
ADMIN = {"Authorization": "Bearer " + TOKEN}
READERS = 200


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Service:
    """The program, running."""

    def __init__(self, program, *arguments, token=TOKEN, table="payments"):
        environment = {k: v for k, v in os.environ.items() if k not in ("ADMIN_TOKEN", "TABLE_NAME")}
        environment.update({"ADMIN_TOKEN": token} if token else {})
        environment.update({"TABLE_NAME": table} if table else {})
        times = ["--recovery-ms", "400", "--request-ms", "400", "--jobs-ms", "150"]
        self.process = subprocess.Popen(
            [program, "--port", "0", *times, *arguments],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline().rstrip("/\n").rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, headers=None):
        return self.ask("GET", path, headers=headers)

    def post(self, path, body=None, headers=None):
        return self.ask("POST", path, body, headers)

    def fault(self, dependency, fault):
        expect(self.post(f"/faults/{dependency}/{fault}", headers=ADMIN).status, 200)

    def act(self, breaker, action):
        return self.post(f"/circuit-breakers/{breaker}/{action}", headers=ADMIN)

    def state(self, breaker):
        return self.get("/circuit-breakers/" + breaker).json()["state"]

    def connect(self, receive_buffer=None):
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(PATIENCE)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def raw(self, sent, silence=0.3):
        """What is answered to these bytes, until the end or a silence."""
        with self.connect() as connection:
            received = b""
            with contextlib.suppress(ConnectionError, TimeoutError):
                connection.sendall(sent)
                connection.settimeout(silence)
                while part := connection.recv(65536):
                    received += part
            return received


def expect(given, wanted, what=""):
    if given != wanted:
        raise AssertionError(f"{what}: {given!r}, and not {wanted!r}")


def wait_until(holds, what):
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("never: " + what)
        time.sleep(0.01)


def business(service):
    expect(service.get("/users/1").json(), {"user": {"id": 1, "name": "Ada"}})
    expect(service.get("/users/9").status, 404)
    expect(service.get("/external/data").json()["cached"], False)
    expect(service.post("/payments", '{"id": "a", "cents": 5}').json(), {"status": "charged"})
    for path in ("/livez", "/readyz", "/health", "/health/liveness", "/health/readiness"):
        expect(service.get(path).status, 200, path)
    report = service.get("/health").json()
    expect(report["service"], "payments-svc")
    expect(sorted(report["circuitBreakers"]), ["cache", "database", "external-api"])
    metrics = service.get("/metrics").body.decode()
    for name in ("cache", "database", "external-api"):
        assert f'resilience4j_circuitbreaker_state{{name="{name}",state="closed"' in metrics, name
    expect(len(service.get("/metrics/circuit-breakers").json()), 3)
    wait_until(lambda: service.get("/jobs").json()["jobs"]["refresh-cache"]["successes"] > 1, "a job")


def wrong_methods(service):
    reading = ["/users/1", "/external/data", "/jobs", "/faults", "/livez", "/readyz", "/health",
               "/metrics", "/events", "/circuit-breakers", "/circuit-breakers/database"]
    writing = ["/payments", "/faults/database/ok", "/circuit-breakers/database/reset"]
    for paths, right, wrong in ((reading, "GET, HEAD", ["POST", "PUT", "PATCH", "DELETE"]),
                                (writing, "POST", ["GET", "PUT", "PATCH", "DELETE"])):
        for path in paths:
            for method in wrong:
                answer = service.ask(method, path, "{}" if method != "GET" else None, ADMIN)
                expect((answer.status, answer.headers["Allow"]), (405, right), method + " " + path)
                assert "error" in answer.json()
    expect(service.ask("HEAD", "/health").status, 200)
    expect(service.ask("BREW", "/health").status, 400)


def wrong_names(service):
    long_name = "x" * 10_000
    for name, status in (("nobody", 404), ("%3Cscript%3E", 404), ("%", 400), ("%zz", 400), ("", 400),
                         ("..", 404), ("%00", 404), ("x" * 257, 400), ("x" * 5000, 404),
                         (long_name, 414), ("%41" * 2000, 404), ("a/b/c", 404)):
        for answer in (service.get("/circuit-breakers/" + name),
                       service.act(name, "open") if name else service.get("/circuit-breakers/")):
            expect(answer.status, status, name[:20])
            assert "error" in answer.json() and b"script" not in answer.body, name[:20]
    for path in ("/nothing", "/users/", "/users/x", "/users/-1", "/users/" + "9" * 12, "/users/1/2",
                 "/" + "/" * 4000, "/users/1%2F..%2F..%2Fetc", "/circuit-breakers/database/explode"):
        expect(service.get(path).status, 404, path[:40])
    expect(service.get("/users/" + long_name).status, 414)
    for path in ("/faults/nobody/fail", "/faults/database/explode"):
        expect(service.post(path, headers=ADMIN).status, 404, path)
    expect(len(service.get("/circuit-breakers").json()), 3, "nothing was made")


def authorisation(service):
    wrong = [{}, {"Authorization": ""}, {"Authorization": TOKEN}, {"Authorization": "Bearer "},
             {"Authorization": "Bearer s3cre"}, {"Authorization": "Bearer s3cret!"},
             {"Authorization": "bearer s3cret"}, {"Authorization": "Basic czNjcmV0"},
             {"Authorization": "x" * 5000}, {"Cookie": "Authorization=Bearer s3cret"}]
    for headers in wrong:
        for path in ("/circuit-breakers/database/open", "/circuit-breakers/nobody/open",
                     "/faults/database/fail"):
            expect(service.post(path, headers=headers).status, 403, path)
    expect(service.state("database"), "CLOSED")
    expect(service.get("/faults").json()["database"], "ok")
    expect(service.act("database", "open").status, 200)
    expect(service.state("database"), "OPEN")
    expect(service.act("database", "reset").json()["state"], "CLOSED")


def broken_requests(service):
    good = {"id": "a", "cents": 5}
    bodies = ["", "{", "[]", "null", "5", '"text"', '{"id": "a"}', '{"cents": 5}', b"\xff\xfe{}",
              "[" * 60_000, '{"id": "a", "cents": 5} and more']
    for change in ({"id": ""}, {"id": "x" * 65}, {"id": 5}, {"id": None}, {"cents": 0},
                   {"cents": -5}, {"cents": 1.5}, {"cents": "5"}, {"cents": True},
                   {"cents": 100_000_001}, {"cents": 2**63}, {"cents": 2**64}, {"cents": -2**63}):
        bodies.append(json.dumps({**good, **change}))
    for body in bodies:
        answer = service.post("/payments", body)
        expect(answer.status, 400, repr(body[:40]))
        assert "error" in answer.json()
    expect(service.post("/payments", "x" * 70_000).status, 413)
    expect(service.act("database", "open?" + "x" * 100).status, 200)
    expect(service.post("/circuit-breakers/database/reset", "x" * 60_000, ADMIN).status, 413)
    expect(service.act("database", "reset").status, 200)
    # None of these may do more than end its own connection.
    for sent in (b"", b"\r\n", b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                 b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, b"\x00" * 5000,
                 b"GET /health HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
                 b"GET /health HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
                 b"POST /payments HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
                 b"POST /payments HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                 b"POST /payments HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                 b"POST /payments HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
        received = service.raw(sent)
        assert b" 200 OK" not in received or b"/health" in sent, (sent[:40], received[:40])
    # A request that says of no body has none.
    begin = time.monotonic()
    with service.connect() as connection:
        connection.sendall(b"POST /payments HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 400 " in connection.recv(4096)
    assert time.monotonic() - begin < 4, "it waited for a body"
    expect(service.post("/payments", json.dumps(good)).status, 200)


def external_api_fails(service):
    service.fault("external-api", "fail")
    wait_until(lambda: service.get("/external/data").status == 200, "open")
    expect(service.get("/external/data").json(), {"data": {}, "cached": True})
    expect(service.act("external-api", "force-open").status, 200)
    for i in range(5):
        answer = service.post("/payments", json.dumps({"id": str(i), "cents": 1}))
        expect((answer.status, answer.json()["status"]), (202, "queued"))
    expect(service.get("/jobs").json()["queuedPayments"], 5)
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE)
    for i in range(996):  # There is room for a thousand.
        connection.request("POST", "/payments", '{"id": "a", "cents": 1}')
        expect(Answer(connection.getresponse()).status, 202 if i < 995 else 503)
        if i % 5 == 4:
            connection.close()
    connection.close()
    # Neither an open breaker nor a check that is not critical takes the service out of use.
    wait_until(lambda: service.get("/health").json()["checks"]["external-api"]["status"] ==
               "unhealthy", "the check fails")
    expect(service.get("/readyz").status, 200)
    health = service.get("/health")
    expect((health.status, health.json()["status"]), (200, "degraded"))
    breakers = service.get("/health/circuit-breakers")
    expect((breakers.status, breakers.json()["status"]), (200, "degraded"))
    wait_until(lambda: service.get("/jobs").json()["jobs"]["send-queued-payments"]["skipped"] > 1,
               "the job is skipped")

    service.fault("external-api", "ok")
    expect(service.act("external-api", "automatic").status, 200)
    wait_until(lambda: service.get("/jobs").json()["queuedPayments"] == 0, "the job sends them")
    wait_until(lambda: service.state("external-api") == "CLOSED", "it closes by itself")
    wait_until(lambda: service.get("/health").json()["status"] == "healthy", "healthy again")


def database_fails(service):
    statuses = []
    service.fault("database", "fail")
    wait_until(lambda: statuses.append(service.get("/users/1").status) or statuses[-1] == 200,
               "from the cache")
    assert set(statuses) <= {200, 502}, statuses
    wait_until(lambda: service.get("/readyz").status == 503, "not ready: a critical check fails")
    expect(service.get("/health").json()["checks"]["database"]["status"], "unhealthy")
    expect(service.get("/health").status, 503)
    expect(service.get("/livez").status, 200)

    # The cache fails, too: then both breakers are open, and it says when to come again.
    expect(service.act("database", "force-open").status, 200)
    service.fault("cache", "fail")
    statuses = []
    wait_until(lambda: statuses.append(service.get("/users/1").status) or statuses[-1] == 503,
               "503")
    assert set(statuses) <= {502, 503}, statuses
    expect(service.act("cache", "open").status, 200)
    answer = service.get("/users/1")
    expect(answer.status, 503)
    expect(answer.headers["Retry-After"], "1")
    expect(answer.json(), {"error": "service temporarily unavailable", "retryAfter": 1})

    service.fault("database", "ok")
    service.fault("cache", "ok")
    wait_until(lambda: service.get("/readyz").status == 200, "ready, though its breaker is open")
    expect(service.state("database"), "OPEN")
    expect(service.act("database", "automatic").status, 200)
    wait_until(lambda: service.get("/users/1").status == 200, "it recovers")
    wait_until(lambda: {service.state(b) for b in ("database", "cache")} == {"CLOSED"}, "closed")


def dependencies_hang(service):
    service.fault("database", "hang")
    expect(service.act("database", "force-closed").status, 200)
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(service.get("/users/1").status))
               for _ in range(40)]
    for thread in threads:
        thread.start()
    begin = time.monotonic()
    expect(service.get("/external/data").status, 200)
    expect(service.get("/livez").status, 200)
    elapsed = time.monotonic() - begin
    for thread in threads:
        thread.join()
    expect(statuses, [504] * 40)
    assert elapsed < 20, elapsed
    wait_until(lambda: service.get("/readyz").status == 503, "a check that hangs fails")
    assert service.get("/health").json()["checks"]["database"]["timedOut"]
    service.fault("database", "ok")
    expect(service.act("database", "reset").status, 200)
    expect(service.act("database", "automatic").status, 200)
    wait_until(lambda: service.get("/readyz").status == 200, "ready again")


def many_readers(service):
    """200 read events at once; one more is told to come later, and everybody else is answered."""
    readers = [service.connect() for _ in range(READERS)]
    received = {reader: b"" for reader in readers}
    selector = selectors.DefaultSelector()
    for reader in readers:
        reader.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        selector.register(reader, selectors.EVENT_READ)

    def read_until(part, what):
        missing = {r for r in readers if part not in received[r]}
        end = time.monotonic() + PATIENCE
        while missing:
            assert time.monotonic() < end, f"{len(missing)} readers never got {what}"
            for key, _ in selector.select(1):
                data = key.fileobj.recv(65536)
                assert data, "a reader lost its connection"
                received[key.fileobj] += data
                if part in received[key.fileobj]:
                    missing.discard(key.fileobj)

    read_until(b"event: SNAPSHOT", "a snapshot")
    one_more = service.get("/events")
    expect((one_more.status, one_more.headers["Retry-After"]), (503, "10"))
    begin = time.monotonic()
    for path in ("/users/1", "/livez", "/readyz", "/health", "/metrics", "/circuit-breakers"):
        expect(service.get(path).status, 200, path)
    expect(service.act("cache", "open").status, 200)
    assert time.monotonic() - begin < 20, "others wait for readers"
    read_until(b"event: STATE_CHANGED", "the change")
    for reader in readers:
        reader.close()
    expect(service.act("cache", "reset").status, 200)
    # All places are free again, within moments.
    for _ in range(3):
        def place():
            with service.connect() as connection:
                connection.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
                return b" 200 OK" in connection.recv(200)
        wait_until(place, "a place is free")


def reader_that_never_reads(service):
    lazy = service.connect(receive_buffer=4096)
    lazy.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"200 OK" in lazy.recv(100)
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE)
    for i in range(600):  # Events of a kilobyte and more: more than sockets and queue hold.
        connection.request("POST", f"/circuit-breakers/cache/{('open', 'close')[i % 2]}",
                           headers={**ADMIN, "Content-Length": "0"})
        expect(Answer(connection.getresponse()).status, 200)
        if i % 5 == 4:  # httplib ends a connection after five requests.
            connection.close()
    expect(service.get("/users/1").status, 200)
    size = 0
    with contextlib.suppress(ConnectionResetError):
        while part := lazy.recv(65536):
            size += len(part)
    assert size < 600_000, f"{size} bytes: it was not cut off"
    lazy.close()
    connection.close()
    expect(service.act("cache", "reset").status, 200)


def slow_senders(service):
    """Many who begin a request and do not go on hold up nobody for long."""
    slow = [service.connect() for _ in range(20)]
    for connection in slow:
        connection.sendall(b"POST /payments HTTP/1.1\r\nContent-Length: 50\r\n\r\n{")
    expect(service.get("/users/1").status, 200)
    for connection in slow:
        connection.close()


def ends_in_order(program):
    with Service(program, "--fault", "external-api=hang", "--drain-ms", "1500",
                 "--request-ms", "3000") as service:
        statuses = []
        late = threading.Thread(
            target=lambda: statuses.append(service.get("/external/data").status))
        late.start()
        reader = service.connect()
        reader.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in reader.recv(100)
        wait_until(lambda: any(b["inFlight"] for b in service.get("/circuit-breakers").json()
                               if b["name"] == "external-api"), "the request is under way")
        service.process.send_signal(signal.SIGTERM)
        wait_until(lambda: service.get("/readyz").status == 503, "not ready while it drains")
        expect(service.get("/livez").status, 200)
        expect(service.process.wait(PATIENCE), 0)
        late.join()
        expect(statuses, [504], "the request in flight is answered")
        while reader.recv(65536):
            pass
        reader.close()


def starts_as_told(program):
    with Service(program, token=None) as service:
        expect(service.post("/circuit-breakers/database/open", headers=ADMIN).status, 403)
        expect(service.post("/faults/database/fail", headers=ADMIN).status, 403)
        service.process.send_signal(signal.SIGTERM)
        expect(service.process.wait(PATIENCE), 0)
    with Service(program, "--fault", "cache=fail", table=None) as service:
        expect(service.get("/readyz").status, 503)
        expect(service.get("/health").json()["checks"]["environment-variables"]["status"],
               "unhealthy")
        expect(service.get("/livez").status, 200)
        expect(service.get("/users/1").status, 200)
        expect(service.get("/faults").json()["cache"], "fail")
    for wrong in (["--port", "x"], ["--port", "65536"], ["--port"], ["--fault", "cache"],
                  ["--fault", "nobody=fail"], ["--fault", "cache=x"], ["--recovery-ms", "0"], ["?"]):
        done = subprocess.run([program, *wrong], capture_output=True, timeout=PATIENCE, text=True)
        expect(done.returncode, 2, str(wrong))
        assert "usage:" in done.stderr, wrong


def main():
    program = sys.argv[1]
    tests = [business, wrong_methods, wrong_names, authorisation, broken_requests,
             external_api_fails, database_fails, dependencies_hang, many_readers,
             reader_that_never_reads, slow_senders, business]
    with Service(program) as service:
        for test in tests:
            begin = time.monotonic()
            test(service)
            print(f"{test.__name__}: {time.monotonic() - begin:.1f} s", flush=True)
            expect(service.process.poll(), None, "it ended")
        service.process.send_signal(signal.SIGTERM)
        expect(service.process.wait(PATIENCE), 0)
    for test in (ends_in_order, starts_as_told):
        begin = time.monotonic()
        test(program)
        print(f"{test.__name__}: {time.monotonic() - begin:.1f} s", flush=True)


if __name__ == "__main__":
    main()
