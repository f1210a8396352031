"""What an operator sees of SIP: counters, the recent messages of each call as ladder and pcap, export to Homer.

Neighbours may rely on: nothing here does I/O or reads a clock, and what is off costs nothing.
"""
