"""The announcements that come with the edge agent, as WAV files; how each was made is in README.md."""
