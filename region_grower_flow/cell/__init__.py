"""One cell, from its row of the cell table to its record."""
