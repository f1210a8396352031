"""Carries due jobs of the outbox to the queues of the functions that do them (AWS only; locally the loop does it)."""
