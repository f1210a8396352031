"""The embedded engine: G.711 over RTP in this process, with asyncio and numpy and nothing else.

`rtp`, `rtcp`, `reception`, `reports`, `g711`, `playout`, `concealment`, `delay`, `digits`, `source`, `stream`, `stun`,
`ice_lite`, `arrivals`, `secure_path` and `keying` do no I/O and read no clock (but for OpenSSL, which times repetitions
of a handshake by its own); `engine` owns the sockets and the 20 ms tick.
"""
