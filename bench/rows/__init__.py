"""The rows: each module measures the figures that begin with its name, ours and baseline pair by pair."""
