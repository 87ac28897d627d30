#!/bin/bash
# A million cells: one job of many nodes, each chunk one srun. Submit it: sbatch FILE
# After a time limit or a lost node submit it again: it goes on where it was.
#SBATCH --nodes=4 --ntasks=128 --time=120 --mem=0
exec region-grower-flow synthesize-morphologies \
  --input-cells nodes.h5 --atlas atlas --region-structure region_structure.yaml \
  --tmd-parameters tmd_parameters.json --tmd-distributions tmd_distributions.json \
  --out-cells out/nodes.h5 --out-morph-dir out/morphologies --overwrite \
  --max-files-per-dir 10000 --chunksize 250000 --skip-page \
  --launcher srun --nb-processes 128
