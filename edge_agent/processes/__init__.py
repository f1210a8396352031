"""The agent's processes: how they are started and watched (supervisor), spoken with (link) and put together."""
