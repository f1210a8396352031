"""What the agent looks after by itself: one file per check, each with the alarm that it raises."""
