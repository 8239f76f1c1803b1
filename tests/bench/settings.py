"""The settings of the product, with yardsticks among its URLs."""

from config.settings import *  # noqa: F403 - what a settings module is made of are its names

ROOT_URLCONF = "tests.bench.urls"
