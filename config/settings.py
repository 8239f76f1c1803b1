"""Django settings, read from the environment and nowhere else."""

import os
from importlib.util import find_spec
from pathlib import Path

import django_stubs_ext
import environ
from csp.constants import NONE, SELF

from config import env
from config.embedded import data_folder

# Lets generic classes such as ModelAdmin be given their model, as type checkers want.
django_stubs_ext.monkeypatch()

_env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
TALLYMAN_DATA = data_folder(os.environ)
TALLYMAN_CURRENCY = env.currency(_env.str("TALLYMAN_CURRENCY", default="USD"))
TALLYMAN_TIME_ZONE = env.time_zone(_env.str("TALLYMAN_TIME_ZONE", default="UTC"))
# Where prices are fetched from; None is the address the genai-prices package has for itself, an
# empty one means never over the network.
TALLYMAN_PRICES_URL = os.environ.get("TALLYMAN_PRICES_URL")
TALLYMAN_OPENROUTER_URL = _env.str(
    "TALLYMAN_OPENROUTER_URL", default="https://openrouter.ai/api/v1/models"
)
# How long the file of an export is kept, and how many exports are written at the same time: each
# takes one of the worker's processes, which everything else waits for.
TALLYMAN_EXPORT_HOURS = _env.int("TALLYMAN_EXPORT_HOURS", default=24)
TALLYMAN_EXPORTS_AT_ONCE = _env.int("TALLYMAN_EXPORTS_AT_ONCE", default=1)

# How long warnings and refusals are kept, and reservations that have ended, with their keys.
TALLYMAN_DECISION_DAYS = _env.int("TALLYMAN_DECISION_DAYS", default=90)

# Where staff reach the site: what the links in messages begin with.
TALLYMAN_PUBLIC_URL = env.public_url(
    _env.str("TALLYMAN_PUBLIC_URL", default="http://localhost:8000")
)
# Internal networks that webhooks may go to, and what Slack's addresses begin with.
TALLYMAN_ALLOWED_NETWORKS = env.networks(_env.list("TALLYMAN_ALLOWED_NETWORKS", default=[]))
TALLYMAN_SLACK_URLS = env.address_starts(
    _env.list(
        "TALLYMAN_SLACK_URLS",
        default=["https://hooks.slack.com/", "https://hooks.slack-gov.com/"],
    )
)
# Services that channels may name by a URL of apprise: by default such whose hosts are fixed.
TALLYMAN_SERVICE_SCHEMES = _env.list(
    "TALLYMAN_SERVICE_SCHEMES",
    default=[
        "discord", "gchat", "ilert", "incidentio", "opsgenie", "pagerduty", "pbul", "pover",
        "signl4", "squadcast", "tgram", "twilio", "victorops", "webex",
    ],
)  # fmt: skip
TALLYMAN_EMAIL_FROM = _env.str("TALLYMAN_EMAIL_FROM", default="Tallyman <tallyman@localhost>")
# After how many hours of trying a message is given up, and how long resolved alerts are kept.
TALLYMAN_NOTICE_HOURS = _env.int("TALLYMAN_NOTICE_HOURS", default=24)
TALLYMAN_ALERT_DAYS = _env.int("TALLYMAN_ALERT_DAYS", default=400)
# In the ledger currency: so little more than usual on one day is nothing to alert anybody for.
TALLYMAN_ANOMALY_MINIMUM = env.amount(_env.str("TALLYMAN_ANOMALY_MINIMUM", default="10"))

# What reads the reports of providers, where it is not kept in the admin, and where they are read:
# the providers' own addresses, unless a proxy stands before them.
TALLYMAN_BILL_KEYS = {
    "anthropic": _env.str("TALLYMAN_ANTHROPIC_ADMIN_KEY", default=""),
    "openai": _env.str("TALLYMAN_OPENAI_ADMIN_KEY", default=""),
    "openrouter": _env.str("TALLYMAN_OPENROUTER_KEY", default=""),
}
TALLYMAN_BILL_URLS = {
    kind: env.service_url(name, _env.str(name, default=url), TALLYMAN_ALLOWED_NETWORKS)
    for kind, name, url in (
        ("anthropic", "TALLYMAN_ANTHROPIC_ADMIN_URL", "https://api.anthropic.com"),
        ("openai", "TALLYMAN_OPENAI_ADMIN_URL", "https://api.openai.com"),
        ("openrouter", "TALLYMAN_OPENROUTER_ADMIN_URL", "https://openrouter.ai"),
    )
}

# The subscription that `cost quota report` measures against; 0 requests means there is none.
TALLYMAN_PLAN = _env.str("TALLYMAN_PLAN", default="Subscription")
TALLYMAN_PLAN_REQUESTS = _env.int("TALLYMAN_PLAN_REQUESTS", default=0)
TALLYMAN_PLAN_WINDOW = _env.str("TALLYMAN_PLAN_WINDOW", default="5h")

DEBUG = _env.bool("DEBUG", default=False)
SECRET_KEY = env.secret_key(os.environ, TALLYMAN_DATA, debug=DEBUG)
# Earlier keys, so that sessions and the sealed secrets of channels outlive a change of the key.
SECRET_KEY_FALLBACKS = _env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = _env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = _env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "config.apps.RootConfig",
    "budgets",
    "usage",
    "pricing",
    "config.apps.TallymanAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "rest_framework",
    # Only for its abstract key: the module that holds it also declares a model of its own.
    "rest_framework_api_key",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.SafeSlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = env.databases(os.environ, TALLYMAN_DATA)
# How many seconds the replica may be behind and still be read; beat makes it hear of the primary
# every 15 seconds at the latest.
TALLYMAN_REPLICA_LAG = _env.int("TALLYMAN_REPLICA_LAG", default=30)
if "replica" in DATABASES:
    DATABASE_ROUTERS = ["usage.replica.ReplicaRouter"]
    MIDDLEWARE = [*MIDDLEWARE, "config.replica.ReplicaMiddleware"]

LANGUAGE_CODE = "en"
# All pages are in one language: looking for translations of it would take a tenth of their time.
USE_I18N = False
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = TALLYMAN_DATA / "static"
STATICFILES_DIRS = env.static_folders(BASE_DIR, find_spec("unfold"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": env.static_storage(debug=DEBUG)},
}

# Uploads that a browser makes to the admin; the ingest view reads its body as a stream and
# enforces its own limit.
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Behind TLS: cookies over TLS only, and the proxy's word taken for the scheme.
_TLS = _env.bool("TALLYMAN_TLS", default=False)
SESSION_COOKIE_SECURE = _TLS
CSRF_COOKIE_SECURE = _TLS
SECURE_HSTS_SECONDS = 31_536_000 if _TLS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _TLS else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": [],
    "EXCEPTION_HANDLER": "usage.api.problems.problem_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "DEFAULT_SCHEMA_CLASS": "usage.api.schema.inspection.DocumentedSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tallyman",
    "DESCRIPTION": "Records what AI calls used, prices it, sums it, limits it and tells people. "
    "Money is in decimal strings, times are RFC 3339; costs are estimates of the provider's bill.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    # The contract holds no data: whoever finds the server may read it.
    "SERVE_AUTHENTICATION": [],
    "SORT_OPERATION_PARAMETERS": False,
    "DEFAULT_GENERATOR_CLASS": "usage.api.schema.inspection.ContractGenerator",
    "PREPROCESSING_HOOKS": ["usage.api.schema.inspection.plain_paths"],
    "POSTPROCESSING_HOOKS": ["usage.api.schema.components.add_components"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
}

vars().update(_env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = _env.int("EMAIL_TIMEOUT", default=10)
DEFAULT_FROM_EMAIL = TALLYMAN_EMAIL_FROM

CELERY_BROKER_URL = _env.str("CELERY_BROKER_URL", default="pgmq://localhost")
CELERY_BROKER_TRANSPORT_OPTIONS = env.broker_options(CELERY_BROKER_URL, DATABASES["default"])
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 3600
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TIMEZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": _env.str("TALLYMAN_LOG_LEVEL", default="WARNING")},
    "loggers": {
        "django": {"handlers": [], "level": "NOTSET", "propagate": True},
        # What a caller did wrong is told to the caller; a refused reservation is no news at all.
        "django.request": {"level": "ERROR"},
        # Names whom it writes to. What failed is told in the log of deliveries.
        "apprise": {"handlers": [], "propagate": False},
    },
}
