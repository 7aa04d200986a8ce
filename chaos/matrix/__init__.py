"""The fault matrix: each fault of the other side, at each call of a release."""
