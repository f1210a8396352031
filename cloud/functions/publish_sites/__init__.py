"""Compiles and publishes the sites whose configuration was saved."""
