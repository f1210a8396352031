"""DHCP for phones."""
