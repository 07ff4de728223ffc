"""The field's own test scripts (packetdrill) run against our TCP, in virtual time: nothing is executed, no packet sent.

``run_script``, ``run_text`` and ``run_paths`` give verdicts; ``parse`` gives a script's syntax tree; ``script_text``
writes a simulated exchange as a script.
"""

from netsim.referees.packetdrill.export.writer import script_text
from netsim.referees.packetdrill.language.parser import parse, parse_file
from netsim.referees.packetdrill.language.script import Script, ScriptError
from netsim.referees.packetdrill.runner import run_paths, run_script, run_text
from netsim.referees.packetdrill.verdict import Verdict

__all__ = [
    "Script",
    "ScriptError",
    "Verdict",
    "parse",
    "parse_file",
    "run_paths",
    "run_script",
    "run_text",
    "script_text",
]
