"""Brings the mailboxes of a sipXcom mailstore to an edge: `tandem-edge import-mailstore FOLDER`."""
