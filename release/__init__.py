"""What ships pyproxy: locked requirements, and the proof that what is built can be trusted."""
