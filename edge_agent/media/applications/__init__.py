"""What a caller meets: one file per application, each a coroutine over a `MediaSession` of any engine."""
