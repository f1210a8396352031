"""Serves what was rendered: one desk that answers every protocol alike, and a server for each protocol."""
