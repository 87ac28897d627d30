"""A configuration made of one's own data: what cells, atlas and reconstructions tell by themselves.

Everything that is proposed here is a file that a person could have written, and may edit.
"""
