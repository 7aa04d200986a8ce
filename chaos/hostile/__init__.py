"""What somebody who means harm would write, for every parser of the package.

`table.PARSERS` has them all; `chaos.parsers` tries each with many cases, and `tests/test_parsers.py` with some.
"""
