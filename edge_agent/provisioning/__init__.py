"""Hands phones their configuration: identify who asks, render what the snapshot says, serve it by TFTP and HTTP.

Neighbours may rely on: a phone gets a file only when its MAC address is one of the site's devices; what is served
changes only at `commit`; passwords are in the files and nowhere else.
"""
