"""The table of the example's m-types (numbers explained in :mod:`.targets`)."""

from region_grower_flow.example.targets import (
    DOWN,
    UP,
    ApicalRule,
    CellType,
    TreeRule,
    apical_branch,
    axon_rule,
)

NEUROGLIAFORM = CellType(
    mtype="L1_NGC-DA",
    layers=(1,),
    count=70,
    soma_radius=7.0,
    basal=TreeRule((5, 7), 105.0, 0.078, 50.0, angle=1.25, persistence=160.0, tip_diameter=0.5),
    apical=None,
    axon=axon_rule(reach=240.0, branching=0.028, decay=220.0, persistence=80.0, first=15.0),
    etype="cNAC",
    synapse_class="INH",
    morph_class="INT",
)

BITUFTED = CellType(
    mtype="L23_BTC",
    layers=(2, 3),
    count=100,
    soma_radius=8.0,
    basal=TreeRule(
        (3, 5),
        270.0,
        0.027,
        120.0,
        first=18.0,
        angle=0.9,
        persistence=420.0,
        poles=(UP, DOWN),
        spread=0.6,
        taper=0.0015,
    ),
    apical=None,
    axon=axon_rule(reach=420.0, pull=UP, pull_length=500.0),
    etype="cACint",
    synapse_class="INH",
    morph_class="INT",
)

LAYER_3_PYRAMIDAL = CellType(
    mtype="L3_TPC:A",
    layers=(3,),
    count=4100,  # layer 3 holds this share of the 5,900 L23_PC
    soma_radius=7.0,
    basal=TreeRule(
        (4, 7),
        165.0,
        0.052,
        60.0,
        angle=0.95,
        poles=(DOWN,),
        spread=1.75,
        taper=0.0012,
    ),
    apical=ApicalRule(
        tuft_depth=170.0,
        obliques=6.0,
        oblique_zone=0.8,
        oblique=apical_branch(130.0, 0.010, 60.0, angle=1.1),
        tuft=apical_branch(210.0, 0.030, 90.0, angle=0.9, pull=UP, pull_length=420.0),
    ),
    axon=axon_rule(reach=460.0),
    etype="cADpyr",
    synapse_class="EXC",
    morph_class="PYR",
)

SPINY_STELLATE = CellType(
    mtype="L4_SSC",
    layers=(4,),
    count=400,
    soma_radius=7.5,
    basal=TreeRule((4, 6), 185.0, 0.042, 65.0, angle=0.95, persistence=320.0),
    apical=None,
    axon=axon_rule(reach=420.0, pull=UP, pull_length=700.0),
    etype="cADpyr",
    synapse_class="EXC",
    morph_class="INT",
)

LAYER_5_PYRAMIDAL = CellType(
    mtype="L5_TPC:A",
    layers=(5,),
    count=4400,
    soma_radius=10.5,
    basal=TreeRule(
        (6, 10),
        195.0,
        0.058,
        60.0,
        angle=0.95,
        poles=(DOWN,),
        spread=1.9,
        tip_diameter=0.6,
        taper=0.0005,
    ),
    apical=ApicalRule(
        tuft_depth=250.0,
        obliques=12.0,
        oblique_zone=0.62,
        oblique=apical_branch(170.0, 0.012, 70.0, angle=1.2),
        tuft=apical_branch(300.0, 0.044, 100.0, angle=0.9, pull=UP, pull_length=380.0),
    ),
    axon=axon_rule(reach=520.0),
    etype="cADpyr",
    synapse_class="EXC",
    morph_class="PYR",
)

LAYER_6_PYRAMIDAL = CellType(
    mtype="L6_TPC:C",
    layers=(6,),
    count=1400,
    soma_radius=6.6,
    basal=TreeRule((6, 9), 155.0, 0.042, 55.0, poles=(DOWN,), spread=1.9),
    apical=ApicalRule(
        tuft_depth=800.0,
        target_layer=4,
        obliques=11.0,
        oblique_zone=0.8,
        oblique=apical_branch(130.0, 0.008, 60.0, angle=1.2),
        tuft=apical_branch(150.0, 0.020, 70.0, angle=0.8, pull=UP, pull_length=250.0),
    ),
    axon=axon_rule(reach=480.0, pull=UP, pull_length=600.0),
    etype="cADpyr",
    synapse_class="EXC",
    morph_class="PYR",
)

MARTINOTTI = CellType(
    mtype="L5_MC",
    layers=(5,),
    count=400,
    soma_radius=8.2,
    basal=TreeRule(
        (3, 5),
        245.0,
        0.043,
        95.0,
        first=15.0,
        angle=0.85,
        persistence=330.0,
        poles=(DOWN, UP),
        spread=0.55,
        tip_diameter=0.6,
        taper=0.0005,
    ),
    apical=None,
    axon=axon_rule(
        reach=1400.0,
        branching=0.0055,
        decay=900.0,
        first=120.0,
        persistence=250.0,
        poles=(UP,),
        pull=UP,
        pull_length=90.0,
    ),
    etype="bAC",
    synapse_class="INH",
    morph_class="INT",
)

CELL_TYPES = (
    NEUROGLIAFORM,
    BITUFTED,
    LAYER_3_PYRAMIDAL,
    SPINY_STELLATE,
    LAYER_5_PYRAMIDAL,
    MARTINOTTI,
    LAYER_6_PYRAMIDAL,
)
