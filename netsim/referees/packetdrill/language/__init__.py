"""The language of packetdrill scripts: from the source of a script to its syntax tree, and from packets to notation.

The grammar is that of packetdrill (google/packetdrill, gtests/net/packetdrill/parser.y) with the additions of the
FreeBSD test suite's dialect (nplab/packetdrill). Every module shows its part of it: ``parser`` the whole script,
``packets`` and ``options`` segments and ICMP messages, ``expressions`` system calls. ``script`` declares the nodes of
the tree, ``cursor`` is the position in the source that they all read from.
"""
