"""A conversation with the server, of which /openapi.json has its examples."""
