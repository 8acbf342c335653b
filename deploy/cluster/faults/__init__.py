"""Breaking one thing after the other under load, and holding the service to what it had acknowledged."""
