"""The field's own test scripts (packetdrill) run against our TCP, in virtual time."""
