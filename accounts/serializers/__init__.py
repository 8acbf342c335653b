"""Shapes in, shapes out; no decisions."""
