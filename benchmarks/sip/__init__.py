"""What SIP costs at the edge, beside Kamailio under the same load."""
