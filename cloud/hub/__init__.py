"""The channel's cloud end: edges connect here, are given what their site wants, and hand in what happened."""
