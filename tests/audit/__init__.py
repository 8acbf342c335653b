"""The audit trail: what is recorded, that it can be proved whole, and who may read it."""
