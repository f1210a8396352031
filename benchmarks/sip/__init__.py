"""What SIP costs: the core alone, without sockets."""
