"""Checks of all inputs before any work: every problem at once, a sentence each.

Functions of the options of a task (anything with these attributes). They write nothing.
"""
