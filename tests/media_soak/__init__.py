"""Calls to the voice services while the edge and its engine are killed: nothing that was acknowledged may be lost."""
