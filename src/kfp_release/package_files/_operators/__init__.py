"""What the package's operators and its listing are made of."""
