"""netsim.tcp"""
