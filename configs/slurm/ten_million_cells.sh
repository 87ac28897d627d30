#!/bin/bash
# Ten million cells: a job for each chunk. Run it on a login node, in tmux or screen: bash FILE
# It waits for its jobs; killed, start it again, and it finds them. Ctrl-C cancels them.
exec region-grower-flow synthesize-morphologies \
  --input-cells nodes.h5 --atlas atlas --region-structure region_structure.yaml \
  --tmd-parameters tmd_parameters.json --tmd-distributions tmd_distributions.json \
  --out-cells out/nodes.h5 --out-morph-dir out/morphologies --overwrite \
  --max-files-per-dir 10000 --chunksize 100000 --skip-page \
  --launcher sbatch --slurm-partition compute --slurm-account proj42 --slurm-time 60 \
  --slurm-tasks 32 --slurm-jobs 20 --slurm-options "--mem=0"
