"""What operators look at: metrics, readiness, status and bans, on a listener of their own."""
