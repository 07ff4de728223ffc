"""packetdrill: the test scripts of the field, run against the TCP core in virtual time.

A packetdrill script describes one exchange from the side of one host: which system calls a process makes and what they
return, which segments arrive, and which segments the host must send, each with its time. packetdrill itself runs such a
script on a real kernel. Here the same script runs against ``netsim.tcp``: no command is executed, no packet leaves the
process, and no time is spent waiting.

How a script is run
-------------------
1. ``language`` reads the script into a syntax tree of frozen nodes (``Script``, ``Event``, ``TcpPacket``, ``Call``).
   A ``ScriptError`` names the line, the column and what was expected there.
2. ``platform`` says which system the script runs on: the ``TcpConfig`` of a profile, its numbers for states and flags,
   the layout of its TCP options.
3. ``player`` plays the events in order. Before an inbound packet, a system call, a command or code it advances the
   virtual clock to the event's time, and the timers that expire by then run first. For an outbound packet it takes
   the next segment that the host has sent, lets time pass if there is none yet, and compares it and its time.
4. ``HostUnderTest`` owns the clock, the TCP stack and the queue of outbound segments. Its ``SocketUnderTest``
   translates between the numbers of the script, which count from the ISN, and those on the wire.
5. ``system_calls`` carries out the calls of the script's only ``Process``. A call that blocks is an ``Attempt``, which
   is made again whenever something has happened, until it has a result.
6. ``commands`` recognises the shell commands that set a sysctl, count sockets and so on; ``code`` evaluates assertions
   on ``tcp_info`` (TCP_INFO) by a walk through their syntax tree.
7. The first event that does not go as the script expects ends the run. ``runner`` gives a ``Verdict``: *pass*,
   *fail* with the line, what was expected and what was got, or *unsupported* with the construct that is not known. A
   script that expects no outbound packet is unsupported too: it would pass whatever TCP does.

The way back: ``script_from_trace`` (in ``export``) writes one end's view of a simulated connection as a script, which
can then be run on a real kernel.

``run_script``, ``run_source`` and ``run_paths`` give verdicts on a file, on a string and on folders.
"""

from netsim.referees.packetdrill.export.writer import script_from_trace
from netsim.referees.packetdrill.language.parser import parse, parse_file
from netsim.referees.packetdrill.language.script import Script, ScriptError
from netsim.referees.packetdrill.runner import run_paths, run_script, run_source
from netsim.referees.packetdrill.verdict import Verdict

__all__ = [
    "Script",
    "ScriptError",
    "Verdict",
    "parse",
    "parse_file",
    "run_paths",
    "run_script",
    "run_source",
    "script_from_trace",
]
