"""From one's own data to a configuration: what cells, atlas and reconstructions tell by themselves.

Everything that is proposed here is a file that a person could have written, and may edit.
"""
