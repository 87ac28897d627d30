"""Running the synthesis of a chunk on MPI ranks, or in this process, so that nothing is lost."""
