"""netsim.trace"""
