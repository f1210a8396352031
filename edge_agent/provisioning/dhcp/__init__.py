"""DHCP for the site's phones (RFC 2131, 2132): leases on a voice VLAN, or answers beside another server."""
