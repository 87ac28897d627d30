"""The page of a run: what was grown, whether it is right, and where it comes from, in one file."""
