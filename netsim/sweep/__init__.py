"""netsim.sweep"""
