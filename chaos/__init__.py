"""What a release is put through: killed, raced, cut off; and what is public afterwards, seen from outside.

``python -m chaos`` runs all parts, see `chaos.__main__`. None of this is in a wheel.
"""
