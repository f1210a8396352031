"""Dialogs (RFC 3261 §12): what two user agents keep of each other between the requests of a call. No I/O."""

from edge_agent.sip.dialog.dialog import Dialog, DialogKey

__all__ = ["Dialog", "DialogKey"]
