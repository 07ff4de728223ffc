"""netsim.scenarios"""
