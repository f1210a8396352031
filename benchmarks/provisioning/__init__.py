"""A site's phones boot at once: how long until the last has its file, beside nginx and tftpd-hpa."""
