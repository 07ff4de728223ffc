"""netsim.theory"""
