"""FreeSWITCH as the engine: its event socket, read and written without I/O, and the calls that come over it.

`esl` and `commands` know bytes only; `call` follows what FreeSWITCH says of one call; `session` gives that call to an
application; `listener` owns the sockets.
"""
