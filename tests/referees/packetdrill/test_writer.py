"""A simulated exchange written as a script: it must pass under the profile that it was simulated with."""

from collections.abc import Generator, Sequence
from typing import Any

import pytest

from netsim.link import Path, Scripted
from netsim.referees.packetdrill import Verdict, run_source, script_from_trace
from netsim.sim import Host, World
from netsim.tcp.config.profiles import profile as named
from netsim.tcp.errors import TcpError
from netsim.trace import Trace

PROFILES = ["rfc9293", "rfc793", "linux", "linux_classic", "freebsd", "windows"]
Application = Generator[Any, Any, None]


def world(profile: str, lose: Sequence[int] = (), lose_back: Sequence[int] = ()) -> tuple[World, Host, Host]:
    """Two hosts, 50 ms apart; the segments of each direction with these numbers (from 1) are lost."""
    made = World(trace=True)
    a, b = made.host("a", profile=profile), made.host("b", profile=profile)
    made.link(a, b, _losing(lose), _losing(lose_back))
    return made, a, b


def _losing(numbers: Sequence[int]) -> Path:
    return Path(delay=0.05, stages=[Scripted([f"drop ANY {n}" for n in numbers])])


def replay(made: World, end: Host, source: str | None = None) -> Verdict:
    """The verdict on the script of that end's view."""
    assert isinstance(made.trace, Trace)
    script = source or script_from_trace(made.trace, host=end.name, config=end.config)
    verdict = run_source(script, profile=end.config.name, strict=True)
    assert verdict.verdict == "pass", f"{verdict}\n{script}"
    return verdict


def talk(a: Host, b: Host, *, request: int, answer: int) -> None:
    """a sends a request, b answers and closes, a closes."""

    def client(host: Host) -> Application:
        socket = host.socket()
        yield socket.connect((b, 80))
        yield socket.send(bytes(request))
        socket.shutdown()
        while (yield socket.recv()):
            pass
        socket.close()

    def server(host: Host) -> Application:
        listener = host.socket()
        listener.listen(80)
        socket = yield listener.accept()
        received = 0
        while received < request:
            received += len((yield socket.recv(1000)))
        yield socket.send(bytes(answer))
        while (yield socket.recv()):
            pass
        socket.close()

    b.world.process(server(b))
    a.world.process(client(a))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("lose", "lose_back"),
    [((), ()), ((1,), ()), ((2, 3), (1,)), ((4,), (3,)), ((5, 6), (4, 5)), ((), (2, 3, 4, 5))],
)
def test_data_in_both_directions_over_a_lossy_path(profile: str, lose: Sequence[int], lose_back: Sequence[int]) -> None:
    made, a, b = world(profile, lose, lose_back)
    talk(a, b, request=3000, answer=20_000)
    made.run(60)
    for end in (a, b):
        shown = replay(made, end)
        assert len(shown.exchange) > 5


def failing_connect(made: World, a: Host, duration: float) -> list[str]:
    """The script of a connect to b that fails, which must pass."""

    def client(host: Host) -> Application:
        with pytest.raises(TcpError):
            yield host.socket().connect(("b", 80))

    made.process(client(a))
    made.run(duration)
    replay(made, a)
    return lines(made, a)


@pytest.mark.parametrize("profile", PROFILES)
def test_refused(profile: str) -> None:
    made, a, _ = world(profile)
    script = failing_connect(made, a, 10)
    assert any("getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED]" in line for line in script)


@pytest.mark.parametrize("profile", PROFILES)
def test_timed_out(profile: str) -> None:
    """Every SYN is lost: the schedule of the whole attempt, and ETIMEDOUT at its end."""
    made, a, _ = world(profile, range(1, 40))
    assert any("[ETIMEDOUT]" in line for line in failing_connect(made, a, 900))


@pytest.mark.parametrize("profile", PROFILES)
def test_abort_and_reset(profile: str) -> None:
    made, a, b = world(profile)

    def client(host: Host) -> Application:
        socket = host.socket()
        yield socket.connect((b, 80))
        yield socket.send(bytes(100))
        yield made.timeout(0.5)
        socket.abort()

    def server(host: Host) -> Application:
        listener = host.socket()
        listener.listen(80)
        socket = yield listener.accept()
        yield socket.recv()
        with pytest.raises(TcpError):
            yield socket.recv()

    made.process(server(b))
    made.process(client(a))
    made.run(10)
    assert any(" > R" in line for line in lines(made, a))
    assert any("read(4, ..., 65536) = -1 ECONNRESET (Connection reset by peer)" in line for line in lines(made, b))
    replay(made, a)
    replay(made, b)


def test_a_blocking_write_has_an_end_time() -> None:
    made = World(trace=True)
    a, b = made.host("a", named("rfc9293").replace(send_buffer=20_000)), made.host("b")
    made.link(a, b, Path(delay=0.05))
    talk(a, b, request=60_000, answer=1)
    made.run(60)
    assert any(") = 60000" in line and "..." in line.split()[0] for line in lines(made, a))
    replay(made, a)
    replay(made, b)


def test_numbers_count_from_the_syn_and_stamps_from_100() -> None:
    made, a, b = world("freebsd")
    talk(a, b, request=10, answer=10)
    made.run(5)
    script = lines(made, b)
    assert "--tcp_ts_tick_usecs=1000" in script
    assert "0.05 < S 0:0(0) win 65535 <mss 1460,nop,wscale 6,sackOK,TS val 100 ecr 0>" in script
    assert "0.15 < P. 1:11(10) ack 1 win 1027 <nop,nop,TS val 200 ecr 100>" in script
    wrong = "\n".join(script).replace("> S. 0:0(0) ack 1 win 65535", "> S. 0:0(0) ack 1 win 65534")
    assert run_source(wrong, profile="freebsd").verdict == "fail"


@pytest.mark.parametrize(
    ("profile", "changes", "said"),
    [
        ("linux", {"syn_retries": 2, "timestamps": False}, "sysctl -w net.ipv4.tcp_syn_retries=2"),
        ("linux", {"receive_buffer": 14600, "window_scale": 7}, 'net.ipv4.tcp_rmem="4096 29200 8388480"'),
        ("freebsd", {"sack": False, "delayed_ack": 0.1}, "sysctl -w net.inet.tcp.delacktime=100"),
        ("rfc9293", {"mss": 960, "receive_buffer": 9600}, "+0 setsockopt(3, SOL_SOCKET, SO_RCVBUF, [9600], 4) = 0"),
        ("rfc9293", {"mss": 960, "nagle": False}, "--mtu=1000"),
        ("linux", {"initial_window": 4}, "// The host differs from the profile linux: initial_window = 4."),
    ],
)
def test_settings_that_a_script_makes(profile: str, changes: dict[str, Any], said: str) -> None:
    made = World(trace=True)
    a, b = made.host("a", named(profile).replace(**changes)), made.host("b", profile)
    made.link(a, b, Path(delay=0.05), Path(delay=0.05))
    talk(a, b, request=100, answer=5000)
    made.run(10)
    script = lines(made, a)
    assert any(said in line for line in script)
    replay(made, a)


def lines(made: World, end: Host) -> list[str]:
    """The script of that end's view."""
    assert isinstance(made.trace, Trace)
    return script_from_trace(made.trace, host=end.name, config=end.config).splitlines()


def test_what_no_script_can_express() -> None:
    made, a, b = world("rfc9293")
    talk(a, b, request=10, answer=10)
    made.run(1)
    assert isinstance(made.trace, Trace)
    with pytest.raises(ValueError, match="its connection 2 is not in the trace"):
        script_from_trace(made.trace, host="a", config=a.config, connection=2)
    a.crash()
    with pytest.raises(ValueError, match="the host crashes"):
        script_from_trace(made.trace, host="a", config=a.config)


@pytest.mark.parametrize("end", ["a", "b"])
@pytest.mark.parametrize("connection", [1, 2])
def test_one_of_several_connections(connection: int, end: str) -> None:
    """Two connections one after the other: each is a script of its own, without the other's calls and segments."""
    made, a, b = world("rfc9293")

    def client(host: Host) -> Application:
        for _ in range(2):
            socket = host.socket()
            yield socket.connect((b, 80))
            yield socket.send(bytes(100))
            socket.close()
            yield made.timeout(1.0)

    def server(host: Host) -> Application:
        listener = host.socket()
        listener.listen(80)
        for _ in range(2):
            socket = yield listener.accept()
            while (yield socket.recv()):
                pass
            socket.close()

    made.process(server(b))
    made.process(client(a))
    made.run(10)
    assert isinstance(made.trace, Trace)
    host = {"a": a, "b": b}[end]
    script = script_from_trace(made.trace, host=end, config=host.config, connection=connection)
    assert script.count("connect(") == (end == "a")
    assert script.count("accept(") == (end == "b")
    replay(made, host, script)
