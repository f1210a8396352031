"""Recording of relayed calls: what each side hears, on two channels, encrypted on disk."""
