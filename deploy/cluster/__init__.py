"""A whole installation on one machine: three Galera nodes, Redis, HAProxy and copies of the server; see README.md."""
