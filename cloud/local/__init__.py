"""Runs the cloud on one machine."""
