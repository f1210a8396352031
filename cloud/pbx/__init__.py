"""What a tenant may configure and what publishing does: the rules, without HTTP."""
