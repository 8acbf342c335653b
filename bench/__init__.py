"""Measurements of this server beside its peers: `script/bench`; bench/README.md says what and how."""
