"""Reading and writing: files that are whole or absent, and errors that name the place."""
