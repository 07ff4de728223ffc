"""netsim.link"""
