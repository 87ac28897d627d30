#!/bin/bash
# Ten thousand cells: one node, half a minute of work with 16 cores. Submit it: sbatch FILE
#SBATCH --nodes=1 --ntasks=16 --time=15
exec region-grower-flow synthesize-morphologies \
  --input-cells nodes.h5 --atlas atlas --region-structure region_structure.yaml \
  --tmd-parameters tmd_parameters.json --tmd-distributions tmd_distributions.json \
  --out-cells out/nodes.h5 --out-morph-dir out/morphologies --overwrite \
  --launcher mpiexec --nb-processes 16
