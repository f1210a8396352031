"""Signs the SIP certificates of sites anew before they end."""
