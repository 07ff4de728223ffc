"""Times, tolerance, blocking calls, settings, and scripts that do not pass although nothing fails."""

from pathlib import Path

import pytest

from netsim.referees.packetdrill.runner import run_paths, run_script, run_source
from netsim.referees.packetdrill.verdict import Verdict

LISTEN = """0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
"""
ESTABLISHED = (
    LISTEN
    + """+0 < S 0:0(0) win 32767 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 32767
+0 accept(3, ..., ...) = 4
"""
)
CONNECT = """0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <...>
"""


def run(source: str, **options: object) -> Verdict:
    return run_source(source, **options)  # type: ignore[arg-type]


def test_a_failure_shows_line_expectation_and_exchange() -> None:
    verdict = run(ESTABLISHED + "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 win 5\n")
    assert (verdict.verdict, verdict.line, verdict.reason) == ("fail", 9, "unexpected window")
    assert verdict.expected == "> P. 1:11(10) ack 1 win 5"
    assert verdict.got == "> P. 1:11(10) ack 1 win 65535"
    assert verdict.exchange == (
        "0.000000 < S 0:0(0) win 32767 <mss 1000>",
        "0.000000 > S. 0:0(0) ack 1 win 65535 <mss 1460>",
        "0.100000 < . 1:1(0) ack 1 win 32767",
        "0.100000 > P. 1:11(10) ack 1 win 65535",
    )
    assert verdict.row().keys() == {"path", "verdict", "line", "reason", "seconds"}
    assert "fail: unexpected window" in str(verdict)


@pytest.mark.parametrize(
    ("time", "verdict"),
    [
        ("+1", "pass"),
        ("+1.004", "pass"),  # 4 ms
        ("+1.14", "pass"),  # 12.5 % of 1.14 s are 142.5 ms
        ("+1.15", "fail"),  # 12.5 % of 1.15 s are 143.75 ms
        ("+.89", "pass"),  # 111.25 ms
        ("+.88", "fail"),  # 110 ms
        ("1.5~2", "fail"),
        ("0.9~1.5", "pass"),
        ("+0.5~+0.9", "fail"),  # 62.5 ms do not reach from 0.9 to 1 s
        ("*", "pass"),
    ],
)
def test_the_second_syn_at_1_s(time: str, verdict: str) -> None:
    assert run(CONNECT + f"{time} > S 0:0(0) <...>").verdict == verdict


def test_the_tolerance_that_a_script_sets() -> None:
    late = CONNECT + "1.3 > S 0:0(0) <...>"
    assert run(late).verdict == "fail"
    assert run("--tolerance_usecs=300000\n" + late).verdict == "pass"


def test_a_blocking_call_must_return_in_time() -> None:
    script = LISTEN + "+0...{} accept(3, ..., ...) = 4\n0 < S 0:0(0) win 9 \n0 > S. 0:0(0) ack 1 <...>\n"
    script += "1 < . 1:1(0) ack 1 win 9"
    assert run(script.format(1)).verdict == "pass"
    early = run(script.format(1.5))
    assert (early.verdict, early.line, early.reason) == ("fail", 4, "accept returns at the wrong time")
    assert run(script.format(1).rsplit("\n", 1)[0]).reason == "accept does not return"


def test_a_blocking_call_waits_in_virtual_time() -> None:
    script = ESTABLISHED + "+0 close(3) = 0\n+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1\n+0 read(4, ..., 1) = {}"
    timed_out = run(script.format("-1 ETIMEDOUT (Connection timed out)"))  # user timeout: 300 s, RFC 793 3.8
    assert timed_out.verdict == "pass", str(timed_out)


def test_the_relative_base_after_a_blocking_call_is_its_start() -> None:
    script = ESTABLISHED + "+.1...{} read(4, ..., 10) = 10\n+.2 < P. 1:11(10) ack 1 win 9\n* > . 1:1(0) ack 11"
    assert run(script.format("0.3")).verdict == "pass"


def test_a_script_of_which_no_branch_is_taken_does_not_pass() -> None:
    script = "#ifdef STANDARD\n" + CONNECT + "#endif\n#ifdef FreeBSD\n0 `true`\n#endif"
    assert run(script, defines=["STANDARD"]).verdict == "pass"
    none = run(script)
    assert (none.verdict, none.line) == ("unsupported", 1)
    assert "none of the #ifdef branches is taken" in none.reason


def test_a_script_that_expects_no_packet_does_not_pass() -> None:
    assert run(LISTEN).verdict == "unsupported"


def test_strict_reports_unexpected_segments_at_the_end() -> None:
    script = CONNECT + "+2 `true`"
    assert run(script).verdict == "pass"
    left = run(script, strict=True)
    assert (left.verdict, left.reason) == ("fail", "1 segment is left over at the end")
    assert left.got.startswith("1.000000 > S 0:0(0) win 65535")


@pytest.mark.parametrize(
    "event",
    [
        "+0 `rm -rf /nowhere`",
        "+0 `sysctl -w net.inet.tcp.unheard_of=1`",
        "+0 `true && echo`",
        "+0 < icmp unreachable code_77 [0:0(0)]",
        "+0 eventfd(1) = 5",
        "+0 socket(..., SOCK_STREAM, IPPROTO_MPTCP) = 4",
        "+0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 4",
        "+0 setsockopt(3, SOL_SOCKET, TCP_NODELAY, [1], 4) = 0",
        "+0 setsockopt(3, SOL_TCP, SO_SNDBUF, [5000], 4) = 0",
        "+0 setsockopt(3, IPPROTO_TCP, TCP_REPAIR, [1], 4) = 0",
        "+0 < (flowlabel 0x7) . 1:1(0) ack 1 win 1",
        "+0 < . 1:1(0) ack 1 win 1 <md5 12345678123456781234567812345678,nop,nop>",
        "+0 %{ import os }%",
        "+0 close(3",
        "+999999999 close(3) = 0",
    ],
)
def test_an_unsupported_construct_is_named(event: str) -> None:
    verdict = run(CONNECT + event)
    assert (verdict.verdict, verdict.line) == ("unsupported", 5)
    assert verdict.reason


def test_a_setting_changed_under_a_connection_is_not_supported() -> None:
    event = "+0 `sysctl -w net.inet.tcp.sack.enable=1`\n+0 < R 9:9(0) win 0"
    assert run(ESTABLISHED + event).verdict == "unsupported"


@pytest.mark.parametrize(("insecure", "verdict"), [(0, "pass"), (1, "fail")])
def test_a_setting_that_hosts_read_at_each_segment_takes_effect_immediately(insecure: int, verdict: str) -> None:
    """RFC 5961 3: a RST inside the window, not at its edge, draws a challenge ACK; by RFC 793 it resets."""
    event = f"+0 `sysctl -w net.inet.tcp.insecure_rst={insecure}`\n+0 < R 9:9(0) win 0\n+0 > . 1:1(0) ack 1"
    assert run(ESTABLISHED + event).verdict == verdict


@pytest.mark.parametrize(
    ("setting", "option"),
    [
        ("rfc1323=0", "<mss 1460,sackOK,eol,eol>"),
        ("sack.enable=0", "<mss 1460,nop,wscale 6,nop,nop,TS val 1 ecr 0>"),
        ("rfc1323=1", "<mss 1460,nop,wscale 6,sackOK,TS val 1 ecr 0>"),
    ],
)
def test_sysctl_and_the_layout_of_options(setting: str, option: str) -> None:
    """sys/netinet/tcp_output.c, tcp_addoptions."""
    script = f"0 `sysctl -w net.inet.tcp.{setting}`\n" + CONNECT.replace("<...>", option)
    verdict = run(script, profile="freebsd")
    assert verdict.verdict == "pass", str(verdict)


def test_the_scripts_that_set_sysctls_in_the_kernels_suite() -> None:
    script = (
        "`../common/defaults.sh\n../common/set_sysctls.py /proc/sys/net/ipv4/tcp_timestamps=0`\n"
        + CONNECT.replace("<...>", "<mss 1460,nop,nop,sackOK,nop,wscale 8>")
    )
    script += "+0 < S. 0:0(0) ack 1 win 9 <mss 1000>\n+0 > . 1:1(0) ack 1\n"
    script += (
        "+0 %{ assert tcpi_snd_cwnd == 10 and tcpi_snd_mss == 1000 and tcpi_options == 0 }%\n`/tmp/sysctl_restore_1.sh`"
    )
    verdict = run(script, profile="linux")
    assert verdict.verdict == "pass", str(verdict)
    assert run(script).verdict == "unsupported"  # defaults.sh is Linux's


def test_sockstat_counts() -> None:
    script = ESTABLISHED + "+0 `sockstat -4 -P tcp -s -p 8080 | grep -c ESTABLISHED | grep {}`"
    assert run(script.format(1)).verdict == "pass"
    assert run(script.format(2)).reason == "sockstat: the number of sockets in ESTABLISHED differs"


def test_an_echo_of_an_unknown_time_stamp_fails() -> None:
    verdict = run(CONNECT + "+0 < S. 0:0(0) ack 1 win 9 <nop,nop,TS val 1 ecr 77>")
    assert (verdict.verdict, verdict.line) == ("fail", 5)


def test_paths_and_workers(tmp_path: Path) -> None:
    for name in ("b", "a", "c/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.pkt").write_text(CONNECT)
    (tmp_path / "no.txt").write_text("")
    alone, together = (list(run_paths([tmp_path], workers=n)) for n in (1, 2))
    assert [Path(v.path).name for v in alone] == ["a.pkt", "b.pkt", "d.pkt"]
    assert [(v.path, v.verdict) for v in alone] == [(v.path, v.verdict) for v in together]


def test_messages_and_vectors() -> None:
    """RFC 9293 3.9.1.2, SEND: data from several buffers is one sequence of bytes."""
    script = (
        ESTABLISHED
        + """+0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 100}, {..., 50}], msg_flags=0}, 0) = 150
+0 > P. 1:151(150) ack 1
+0 < P. 1:101(100) ack 151 win 32767
+0 readv(4, [{..., 30}, {..., 20}], 2) = 50
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 1000}], msg_flags=0}, 0) = 50
* > . 151:151(0) ack 101
"""
    )
    verdict = run(script)
    assert verdict.verdict == "pass", str(verdict)
    assert run(script.replace("= 150", "= 149")).line == 8
    assert run(script.replace("], 2) = 50", "], 3) = 50")).line == 11
    more = run(script.replace("}, 0) = 150", "}, MSG_OOB) = 150"))
    assert (more.verdict, more.reason) == ("unsupported", "send with MSG_OOB")


def test_msg_more_and_tcp_cork_delay_small_segments() -> None:
    """tcp(7): a small segment waits for a send without MSG_MORE, or until TCP_CORK is switched off."""
    held = ESTABLISHED + "+0 send(4, ..., 100, MSG_MORE) = 100\n+.1 send(4, ..., 50, 0) = 50\n+0 > P. 1:151(150) ack 1"
    assert run(held).verdict == "pass"
    cork = "+0 setsockopt(4, IPPROTO_TCP, TCP_CORK, [{}], 4) = 0\n"
    held = ESTABLISHED + cork.format(1) + "+0 write(4, ..., 100) = 100\n+.1 " + cork.format(0)[3:]
    assert run(held + "+0 > P. 1:101(100) ack 1").verdict == "pass"
    assert run(held.replace("[1]", "[0]") + "+0 > P. 1:101(100) ack 1").verdict == "fail"


def test_nstat_reports_the_increments_since_its_last_call() -> None:
    """nstat(8): "nstat and rtacct are simple tools to monitor kernel snmp counters": increments since the last call."""
    count = '+0 `nstat | grep TcpExtTCPOFOQueue | grep -q " {} "`\n'
    script = ESTABLISHED + "+0 < P. 11:21(10) ack 1 win 9\n+0 > . 1:1(0) ack 1 <...>\n"
    assert run(script + count.format(1), profile="linux").verdict == "pass"
    assert run(script + count.format(2), profile="linux").line == 10
    again = run(script + "+0 `nstat > /dev/null`\n" + count.format(0), profile="linux")
    assert (again.line, again.reason) == (
        11,
        "nstat: TcpExtTCPOFOQueue differs",
    )  # a counter that has not changed is not listed
    assert run(script + count.replace("OFOQueue", "Unheard").format(1), profile="linux").verdict == "unsupported"


def test_definitions_in_the_script() -> None:
    script = "--define=SIZE=150\n--define=NOTHING=`true`\n--define=BRANCH\n" + ESTABLISHED
    script += "#ifdef BRANCH\n+0 write(4, ..., SIZE) = SIZE\n+0 > P. 1:151(150) ack 1\n#endif\n+0 NOTHING\n"
    assert run(script).verdict == "pass"
    assert run(script, defines={"SIZE": "151"}).line == 13  # the caller's definition has precedence


def test_the_first_event_is_at_time_0() -> None:
    late = run("1 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3")
    assert (late.verdict, late.line, late.malformed) == ("unsupported", 1, True)


@pytest.mark.parametrize(
    "packet",
    [
        "> udp (100)",
        "> ipv4 192.0.2.1 > 192.0.2.2: . 1:1(0) ack 1",
        "< [ect0] W.5 1:1(0) ack 1 win 9",
        "> . 1:1(0) <ECN e1b 1 ceb 0>",
    ],
)
def test_packets_of_other_protocols_are_named(packet: str) -> None:
    verdict = run(CONNECT + f"+0 {packet}\n+0 close(3) = 0\n")
    assert (verdict.verdict, verdict.line, verdict.malformed) == ("unsupported", 5, False)


def test_the_final_command_can_fail() -> None:
    """run_command.c, run_cleanup_command: if it fails, packetdrill fails."""
    script = CONNECT + "`sockstat -4 -P tcp -s | grep -c SYN_SENT | grep {}`"
    assert run(script.format(1)).verdict == "pass"
    failed = run(script.format(2))
    assert (failed.verdict, failed.line) == ("fail", 5)
    assert run(CONNECT + "`/tmp/sysctl_restore_17.sh`").verdict == "pass"
    assert run(CONNECT + "`rm -rf /nowhere`").verdict == "unsupported"


def test_a_call_that_succeeds_is_not_one_that_fails() -> None:
    """Even where the script names no error number."""
    accepted = run(ESTABLISHED.replace("accept(3, ..., ...) = 4", "accept(3, ..., ...) = -1"))
    assert (accepted.verdict, accepted.line) == ("fail", 7)
    assert run(LISTEN.replace("IPPROTO_TCP) = 3", "IPPROTO_TCP) = -1")).line == 1


def test_a_descriptor_that_is_not_open() -> None:
    """POSIX: EBADF."""
    assert run(CONNECT + "+0 close(7) = -1 EBADF (Bad file descriptor)").verdict == "pass"
    closed = run(CONNECT + "+0 close(3) = 0\n+0 write(3, ..., 10) = 10")
    assert (closed.verdict, closed.line, closed.got) == ("fail", 6, "-1 EBADF")


def test_the_relative_tolerance_that_a_script_sets() -> None:
    late = CONNECT + "1.3 > S 0:0(0) <...>"
    assert run("--tolerance_percent=30\n" + late).verdict == "pass"
    assert run("--tolerance_percent=20\n" + late).verdict == "fail"


def test_strict_segments_are_not_joined() -> None:
    script = ESTABLISHED + "+0 write(4, ..., 2000) = 2000\n+0 > P. 1:2001(2000) ack 1\n"
    assert run(script).verdict == "pass"
    assert run("--strict_segments\n" + script).verdict == "fail"


def test_tcp_info_worked_by_hand() -> None:
    """One segment of 100 bytes unacknowledged, 30 acknowledged, 50 received; RFC 6298 2.2: one sample of 100 ms."""
    script = ESTABLISHED + "+0 write(4, ..., 30) = 30\n+0 > P. 1:31(30) ack 1\n"
    script += "+0 < P. 1:51(50) ack 31 win 32767\n* > . 31:31(0) ack 51\n"
    script += "+0 write(4, ..., 100) = 100\n+0 > P. 31:131(100) ack 51\n"
    script += "+0 %{ assert (tcpi_unacked, tcpi_bytes_acked, tcpi_bytes_received) == (1, 30, 50) }%\n"
    verdict = run(script)
    assert verdict.verdict == "pass", str(verdict)
    handshake = ESTABLISHED + "+0 %{ assert tcpi_rtt == 100000 and tcpi_rttvar == 50000 }%"
    assert run(handshake).verdict == "pass", str(run(handshake))
    wrong = script.replace("== (1, 30, 50)", "== (1, 30, 51)")
    assert "tcpi_bytes_received = 50" in run(wrong).got


def test_packet_too_big_leaves_room_for_the_longer_header() -> None:
    """RFC 8201: a path MTU of 1300 leaves 1240 bytes for data after 40 of IPv6 and 20 of TCP."""
    script = "--ip_version=ipv6\n" + ESTABLISHED.replace("mss 1000", "mss 1440") + "+0 write(4, ..., 1440) = 1440\n"
    script += "+0 > P. 1:1441(1440) ack 1\n+.1 < [1:1441(1440)]icmp packet_too_big mtu 1300\n"
    got = run(script + "+0 > . 1:1241(1240) ack 1\n")
    assert got.verdict == "pass", str(got)
    assert run(script + "+0 > . 1:1261(1260) ack 1\n").verdict == "fail"


def test_fields_of_the_ip_header() -> None:
    """IP_TTL and IP_TOS hold for packets sent later; RFC 1700: the TTL is 64 otherwise."""
    script = ESTABLISHED.replace("> S. 0:0(0)", "> (ttl 64) S. 0:0(0)")
    script += "+0 setsockopt(4, IPPROTO_IP, IP_TTL, [5], 4) = 0\n"
    script += "+0 setsockopt(4, IPPROTO_IP, IP_TOS, [IPTOS_DSCP_CS1], 4) = 0\n"
    script += (
        "+0 write(4, ..., 10) = 10\n+0 > (ttl 5, tos 0x20) P. 1:11(10) ack 1\n+0 < (ttl 3) . 1:1(0) ack 11 win 9\n"
    )
    assert run(script).verdict == "pass", str(run(script))
    for wrong in (
        script.replace("(ttl 5", "(ttl 6"),
        script.replace("0x20", "0x40"),
        script.replace("ttl 64", "ttl 63"),
    ):
        got = run(wrong)
        assert (got.verdict, got.reason) == ("fail", "unexpected IP header")
    assert "(ttl 5) (tos 0x20) P. 1:11(10)" in run(script.replace("0x20", "0x40")).got


def test_icmp_before_any_segment_is_unsupported() -> None:
    assert run(LISTEN + "+0 < icmp unreachable host_unreachable").verdict == "unsupported"


def test_ports_name_a_connection() -> None:
    """Two connections to one listener, whose segments differ by the peer's port."""
    script = (
        LISTEN.replace("listen(3, 1)", "listen(3, 2)")
        + """+0 < 1001 > 8080 S 0:0(0) win 9
+0 < 1002 > 8080 S 500:500(0) win 9
+0 > 8080 > 1002 S. 0:0(0) ack 501 <...>
+0 > 8080 > 1001 S. 0:0(0) ack 1 <...>
+0 < 1002 > 8080 . 1:1(0) ack 1 win 9
+0 accept(3, ..., ...) = 4
+0 < 1001 > 8080 R 1:1(0) win 0
+0 close(4) = 0
+0 > 8080 > 1002 F. 1:1(0) ack 1
"""
    )
    verdict = run(script, strict=True)
    assert verdict.verdict == "pass", str(verdict)
    assert run(script.replace("> 8080 > 1002 S. 0:0(0) ack 501", "> 8080 > 1002 S. 0:0(0) ack 1")).line == 6
    missing = "\n".join(line for line in script.splitlines() if "> 8080 > 1001" not in line)
    assert run(missing, strict=True).reason == "1 segment is left over at the end"


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        ("0x4d044142010101 01".replace(" ", ""), "pass"),  # kind 77, of 4 bytes; RFC 9293 3.1, MUST-6: ignored
        ("0x22040000", "unsupported"),  # kind 34, Fast Open, which some TCPs know
        ("0x4d090000", "unsupported"),  # longer than the header says
    ],
)
def test_raw_options(raw: str, verdict: str) -> None:
    got = run(ESTABLISHED + f"+0 < P. 1:11(10) ack 1 win 9 <{raw}>\n* > . 1:1(0) ack 11\n")
    assert got.verdict == verdict, str(got)


def test_errors_of_the_caller_are_raised(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        run("", profile="vms")
    with pytest.raises(OSError, match=r"none\.pkt"):
        run_script(tmp_path / "none.pkt")


def test_the_whole_exchange_on_request() -> None:
    assert len(run(CONNECT + "+0 `sleep 30`").exchange) == 5  # SYNs at 0, 1, 3, 7 and 15 s
    assert len(run(CONNECT + "+0 `sleep 100`", log_lines=2).exchange) == 2
    assert len(run(CONNECT + "* > S 0:0(0) <...>\n" * 7, log_lines=None).exchange) == 8


def test_a_muted_host_sends_nothing() -> None:
    script = "`tc qdisc add dev tun0 root pfifo limit 0`\n" + CONNECT
    assert run(script).reason == "the host sends nothing"
    again = "+0 `tc qdisc del dev tun0 root`\n+1 > S 0:0(0) <...>"
    assert run(script.replace("+0 > S 0:0(0) <...>\n", again)).verdict == "pass"


def test_tcpdrop_removes_time_wait() -> None:
    script = ESTABLISHED + "+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1\n+0 < F. 1:1(0) ack 2 win 9\n"
    script += "+0 > . 2:2(0) ack 2\n{}+0 `sockstat -4 -P tcp -s | grep -c TIME_WAIT | grep 1`"
    assert run(script.format("")).verdict == "pass"
    assert run(script.format("+0 `tcpdrop -s TIME_WAIT`\n")).verdict == "fail"


def test_a_write_that_waits_for_space_in_the_send_buffer() -> None:
    script = ESTABLISHED.replace("0 socket", "--tolerance_usecs=1000\n0 socket", 1).replace(
        "+0 bind", "+0 setsockopt(3, SOL_SOCKET, SO_SNDBUF, [1000], 4) = 0\n+0 bind"
    )
    script += "+0...0.2 write(4, ..., 1500) = 1500\n+0 > P. 1:1001(1000) ack 1\n+.2 < . 1:1(0) ack 1001 win 9000\n"
    script += "+0 > P. 1001:1501(500) ack 1"
    verdict = run(script)
    assert verdict.verdict == "pass", str(verdict)


def test_linger_of_zero_resets() -> None:
    script = ESTABLISHED + "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0\n+0 close(4) = 0\n"
    assert run(script + "+0 > R 1:1(0) win 0").verdict == "pass"  # <SEQ=SND.NXT><CTL=RST>: RFC 9293 3.10.5
    assert run(script + "+0 > R. 1:1(0) ack 1 win 0", profile="linux").verdict == "pass"
