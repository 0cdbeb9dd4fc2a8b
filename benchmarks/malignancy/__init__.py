"""How malignant a nodule looks: a classifier after Liao et al. 2019, trained from scratch on readers' ratings."""

from benchmarks.malignancy.classifier import PRESETS, Config, MalignancyClassifier
from benchmarks.malignancy.ratings import Ratings
from benchmarks.malignancy.sites import Site, sites_of
from benchmarks.malignancy.training import Options, train

__all__ = ["PRESETS", "Config", "MalignancyClassifier", "Options", "Ratings", "Site", "sites_of", "train"]
