"""What runs the server beyond one process on one machine."""
