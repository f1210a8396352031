"""The embedded engine: G.711 over RTP in this process, with asyncio and numpy and nothing else.

`rtp`, `g711`, `playout`, `concealment`, `delay`, `digits`, `source` and `stream` do no I/O and read no clock; `engine`
owns the sockets and the 20 ms tick.
"""
