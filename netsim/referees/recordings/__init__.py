"""Recordings of a real kernel: each recorded run is simulated, and the two are compared packet by packet.

A folder of recordings holds ``scenarios.json``, which says what was done (the hosts' settings, the steps of their
applications, the faults of the link), and for each scenario the packets that the wire showed and the results and states
at both ends. ``docs/recordings.md`` has the formats and the rules of the comparison.

How a recording is played
-------------------------
1. ``scenario`` reads and checks ``scenarios.json``; ``files`` reads what was recorded into an ``Exchange``.
2. ``run`` builds a simulated world with two hosts of a profile and the scripted link. ``Run`` observes the wire and
   collects its own ``Exchange``.
3. ``application`` and ``steps`` play the steps of each end in SimPy processes, with the results of Linux system calls.
   ``simulate`` starts both ends and runs the world somewhat longer than the recording.
4. ``exchange`` brings both exchanges into a comparable form: sequence numbers relative to the ISN of their incarnation,
   and for each packet the time since anything else happened at its sender.
5. ``compare`` looks for the first difference. Because the phase of the recorded kernel's timer wheel is not known, up
   to 64 phases are simulated; a scenario matches if one of them explains all of it.
"""
