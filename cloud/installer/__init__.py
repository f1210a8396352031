"""What `curl <cloud>/install.sh | sh` fetches: the installer, and the agent's bundle with everything that it needs."""
