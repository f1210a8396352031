"""Real phones that are not ours, each behind the same few verbs, so that a scenario is written once for all of them."""
