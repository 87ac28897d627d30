"""The pure functions of the stages: chunk, merge, linking, cells grown without an atlas."""
