"""Settings of the test run: the product's own, on a data folder that only tests use."""

import os
from pathlib import Path

os.environ.setdefault("TALLYMAN_DATA", str(Path(__file__).parent.parent / "var" / "test"))
os.environ.setdefault("SECRET_KEY", "test")

from config.settings import *

# A crash in the middle of a test run loses nothing that anybody wants.
DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"
# Named for the process, so that several test runs can share the server.
DATABASES["default"]["TEST"] = {"NAME": f"test_tallyman_{os.getpid()}"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TALLYMAN_PRICES_URL = ""
TALLYMAN_OPENROUTER_URL = ""
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

STATIC_ROOT.mkdir(parents=True, exist_ok=True)

STATIC_ROOT.mkdir(parents=True, exist_ok=True)
