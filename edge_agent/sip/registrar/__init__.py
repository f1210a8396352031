"""The registrar (RFC 3261 §10): REGISTER to bindings, kept on disk before the answer leaves."""

from edge_agent.sip.registrar.registrar import Registrar
from edge_agent.sip.registrar.store import BindingStore, SqliteBindingStore, StoredBinding

__all__ = ["BindingStore", "Registrar", "SqliteBindingStore", "StoredBinding"]
