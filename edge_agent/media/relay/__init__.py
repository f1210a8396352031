"""The RTP relay: media between two parties that cannot reach each other, in ports of this machine."""
