"""The options of the tasks, in groups: each described once, for help, docs and configurations."""
