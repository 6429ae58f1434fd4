"""What the events of the benchmark's file look like: how many of each thing, and how each column is distributed.

Taken from the first thousand events of the CMS open data set `Run2012B_SingleMu`, on which the ADL benchmark is defined.
Columns are drawn independently. Real correlations would change the histograms, and hardly what it costs to fill them.
"""

from __future__ import annotations

import numpy as np

__all__ = ["COLLECTIONS", "COUNTS", "EVENT", "PROBABILITIES", "Column", "draw"]

#: Where the quantiles of a column are taken.
PROBABILITIES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)

#: Quantiles of a number; the values among which an integer is drawn; the share of true flags.
Column = tuple[float, ...] | list[int] | float

#: How many events of a thousand have 0, 1, 2, ... of them.
COUNTS = {
    "Muon": [7, 759, 177, 34, 11, 5, 5, 2],
    "Electron": [829, 149, 20, 2],
    "Tau": [181, 243, 190, 131, 95, 58, 38, 24, 15, 10, 6, 4, 2, 1, 1, 1],
    "Photon": [679, 221, 70, 20, 6, 2, 1, 1],
    "Jet": [334, 212, 180, 134, 66, 33, 20, 9, 4, 3, 2, 1, 1, 0, 0, 0, 1],
}

PHI: Column = (-3.1416, -2.83, -1.57, 0.0, 1.57, 2.83, 3.08, 3.1416)
NONE: Column = [-1]
SIGN: Column = [-1, 1]
IMPACT: Column = (-2.9, -0.06, -0.007, 0.0, 0.002, 0.03, 0.63, 10.0)
ERROR: Column = (0.001, 0.001, 0.002, 0.004, 0.006, 0.03, 0.25, 9.0)
ISOLATION: Column = (0, 0, 0, 0.066, 0.603, 3.026, 8.636, 23.562)

COLLECTIONS: dict[str, dict[str, Column]] = {
    "Muon": {
        "pt": (3.013, 4.054, 16.888, 29.065, 39.283, 55.787, 78.676, 956.045),
        "eta": (-2.474, -1.972, -0.97, -0.035, 0.974, 1.996, 2.268, 2.407),
        "phi": PHI,
        "mass": (0.10566,) * 8,
        "charge": SIGN,
        "pfRelIso03_all": ISOLATION,
        "pfRelIso04_all": ISOLATION,
        "tightId": 0.752,
        "softId": 0.803,
        "dxy": IMPACT,
        "dxyErr": ERROR,
        "dz": IMPACT,
        "dzErr": ERROR,
        "jetIdx": NONE,
        "genPartIdx": NONE,
    },
    "Electron": {
        "pt": (5.03, 5.373, 6.622, 9.347, 21.1, 49.062, 79.96, 123.998),
        "eta": (-2.421, -2.079, -0.947, -0.193, 0.793, 2.061, 2.242, 2.561),
        "phi": PHI,
        "mass": (0.000511,) * 8,
        "charge": SIGN,
        "pfRelIso03_all": ISOLATION,
        "dxy": IMPACT,
        "dxyErr": ERROR,
        "dz": IMPACT,
        "dzErr": ERROR,
        "cutBasedId": 0.99,
        "pfId": 0.41,
        "jetIdx": NONE,
        "genPartIdx": NONE,
    },
    "Tau": {
        "pt": (15.003, 15.396, 17.761, 24.529, 35.952, 58.555, 86.897, 229.042),
        "eta": (-4.407, -3.411, -1.547, 0.01, 1.477, 3.368, 4.022, 4.531),
        "phi": PHI,
        "mass": (0.01, 0.106, 0.106, 1.133, 5.019, 7.304, 10.201, 16.419),
        "charge": [-1, 0, 1],
        "decayMode": [-1, -1, 0, 1, 10],
        "relIso_all": ISOLATION,
        "jetIdx": NONE,
        "genPartIdx": NONE,
        "idDecayMode": 0.558,
        "idIsoRaw": (0, 0, 0, 0, 5.993, 36.078, 73.752, 248.49),
        "idIsoVLoose": 0.258,
        "idIsoLoose": 0.234,
        "idIsoMedium": 0.194,
        "idIsoTight": 0.184,
        "idAntiEleLoose": 0.597,
        "idAntiEleMedium": 0.534,
        "idAntiEleTight": 0.266,
        "idAntiMuLoose": 0.642,
        "idAntiMuMedium": 0.634,
        "idAntiMuTight": 0.634,
    },
    "Photon": {
        "pt": (9.446, 10.078, 11.911, 16.139, 25.973, 61.796, 111.304, 220.883),
        "eta": (-2.836, -2.257, -1.057, -0.101, 0.817, 2.225, 2.756, 2.886),
        "phi": PHI,
        "mass": (0,) * 8,
        "charge": [0],
        "pfRelIso03_all": (0, 0.025, 0.127, 0.269, 0.603, 1.639, 3.653, 4.795),
        "jetIdx": NONE,
        "genPartIdx": NONE,
    },
    "Jet": {
        "pt": (15.002, 15.402, 17.966, 24.331, 40.361, 92.3, 165.174, 484.094),
        "eta": (-4.371, -3.552, -1.488, 0.015, 1.253, 3.571, 4.118, 4.488),
        "phi": PHI,
        "mass": (0.79, 3.006, 4.378, 5.507, 7.734, 14.722, 26.44, 82.129),
        "puId": 0.998,
        "btag": (0, 0.01, 0.05, 0.106, 0.45, 0.982, 0.99, 1),
    },
}

#: The columns of an event besides run, luminosityBlock and event.
EVENT: dict[str, Column] = {
    "HLT_IsoMu24_eta2p1": 0.583,
    "HLT_IsoMu24": 0.63,
    "HLT_IsoMu17_eta2p1_LooseIsoPFTau20": 0.139,
    "PV_npvs": [*range(2, 22)],
    "PV_x": (0.028, 0.068, 0.07, 0.072, 0.074, 0.076, 0.078, 0.094),
    "PV_y": (0.052, 0.059, 0.061, 0.063, 0.064, 0.067, 0.069, 0.074),
    "PV_z": (-15.123, -9.022, -3.775, -0.25, 3.108, 8.547, 10.993, 14.595),
    "MET_pt": (0.292, 6.404, 15.882, 26.105, 38.779, 54.233, 71.747, 528.62),
    "MET_phi": PHI,
    "MET_sumet": (150.456, 294.216, 451.376, 592.162, 765.229, 1069.92, 1316.447, 1876.034),
    "MET_significance": (0.001, 0.221, 1.349, 3.578, 8.371, 20.023, 32.29, 85.723),
    "MET_CovXX": (41.86, 80.53, 133.584, 177.42, 234.608, 341.439, 484.82, 807.459),
    "MET_CovXY": (-622.609, -50.232, -12.37, 0.872, 14.214, 49.638, 127.385, 459.095),
    "MET_CovYY": (34.357, 85.405, 135.262, 180.772, 235.332, 363.472, 522.708, 1497.978),
}


def draw(rng: np.random.Generator, column: Column, size: int) -> np.ndarray:
    """So many values of a column: float32 by its quantiles, int32 among its values, or flags."""
    if isinstance(column, tuple):
        return np.interp(rng.random(size, np.float32), PROBABILITIES, column).astype(np.float32)
    if isinstance(column, list):
        return rng.choice(np.array(column, np.int32), size)
    return rng.random(size, np.float32) < column
