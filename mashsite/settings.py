"""Every setting of the site, read once from the environment. `docs/configuration.md` explains each variable."""

import os
from pathlib import Path

from cryptography.fernet import Fernet
from csp.constants import NONE, SELF

from mashsite import databases
from mashsite.env import env_choice, env_flag, env_list, env_number, env_secret, env_text

BASE_DIR = Path(__file__).resolve().parent.parent
MASH_DATA_DIR = Path(env_text("MASH_DATA_DIR", str(BASE_DIR / ".mash"))).expanduser().resolve()

# Identity and secrets
DEBUG = env_flag("MASH_DEBUG")
SECRET_KEY = env_secret("MASH_SECRET_KEY", file=MASH_DATA_DIR / "secret_key")
# Fernet keys, comma separated: the first encrypts, all decrypt. Prepend a new one to rotate.
MASH_ENCRYPTION_KEYS = env_secret(
    "MASH_ENCRYPTION_KEYS", file=MASH_DATA_DIR / "encryption_keys", make=lambda: Fernet.generate_key().decode()
).split(",")
ALLOWED_HOSTS = env_list("MASH_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("MASH_TRUSTED_ORIGINS")
MASH_HTTPS = env_flag("MASH_HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = MASH_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if MASH_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if MASH_HTTPS else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# To redirect to HTTPS is the proxy's part; subdomains and preload lists are the domain owner's choice.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
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

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "django_q",
    "django_htmx",
    "template_partials",
    "csp",
    "workspaces",
    "agents",
    "runtime",
    "workflows",
    "telemetry",
]
MIDDLEWARE = [
    "mashsite.middleware.RequestIdMiddleware",
    "mashsite.health.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "mashsite.urls"
ASGI_APPLICATION = "mashsite.asgi.application"
APPEND_SLASH = False
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
                "telemetry.web.preferences.look",
            ]
        },
    }
]

# Database: an SQLite file under the data directory, or PostgreSQL by URL
MASH_DATABASE_URL = env_text("MASH_RUNTIME_DATABASE_URL") or env_text("MASH_DATABASE_URL")
MASH_DATABASE_POOL = env_number("MASH_DATABASE_POOL", 8, minimum=1)
DATABASES = {
    "default": databases.postgresql("MASH_DATABASE_URL", MASH_DATABASE_URL)
    if MASH_DATABASE_URL
    else databases.sqlite(MASH_DATA_DIR / "mash.sqlite3")
}
# Sessions and turns may live in a database of their own
if MASH_MEMORY_DATABASE_URL := env_text("MASH_MEMORY_DATABASE_URL"):
    DATABASES[databases.MEMORY] = databases.memory_database(MASH_MEMORY_DATABASE_URL)
    DATABASE_ROUTERS = ["mashsite.databases.MemoryRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis carries the queue and the news in production; without it the database and Unix sockets do
MASH_REDIS_URL = env_text("MASH_REDIS_URL")
if MASH_REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [MASH_REDIS_URL]}}
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# What each process keeps for a while, and what all of them count together (without Redis each counts for itself)
_LOCAL_CACHE = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {
    "default": {"BACKEND": _LOCAL_CACHE},
    "tries": {"BACKEND": _LOCAL_CACHE, "LOCATION": "tries", "OPTIONS": {"MAX_ENTRIES": 100_000}},
}
if MASH_REDIS_URL:
    CACHES["shared-tries"] = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": MASH_REDIS_URL}

# django-q2 hands over request ids and nothing else, so its own timeouts and retries are out of the way (design.md 5)
MASH_WORKER_PROCESSES = env_number("MASH_WORKER_PROCESSES", 2, minimum=1)
MASH_WORKER_THREADS = env_number("MASH_WORKER_THREADS", 128, minimum=1)
Q_CLUSTER = {
    "name": "mash",
    "workers": MASH_WORKER_PROCESSES,
    "queue_limit": 64,
    "timeout": -1,
    "retry": 3600,
    "ack_failures": True,
    "save_limit": -1,
    "recycle": 1_000_000_000,
    "guard_cycle": 1,
    "scheduler": False,
    "log_level": "WARNING",
    "broker_class": "runtime.queue.RedisBroker" if MASH_REDIS_URL else "runtime.queue.DatabaseBroker",
    "redis": MASH_REDIS_URL or None,
    "orm": None if MASH_REDIS_URL else "default",
    "poll": 1,
}

# People
AUTH_USER_MODEL = "workspaces.User"
_VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATORS}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATORS}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_VALIDATORS}.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env_number("MASH_SESSION_DAYS", 14, minimum=1) * 24 * 3600
# Links for a new password
PASSWORD_RESET_TIMEOUT = 24 * 3600
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

# Mail, for invitations and new passwords. Without a server none is sent, and the pages say so.
MASH_EMAIL_HOST = EMAIL_HOST = env_text("MASH_EMAIL_HOST")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if MASH_EMAIL_HOST else 'dummy'}.EmailBackend"
EMAIL_PORT = env_number("MASH_EMAIL_PORT", 587, minimum=1)
EMAIL_HOST_USER = env_text("MASH_EMAIL_USER")
EMAIL_HOST_PASSWORD = env_text("MASH_EMAIL_PASSWORD")
_EMAIL_SECURITY = env_choice("MASH_EMAIL_SECURITY", ("starttls", "tls", "none"))
EMAIL_USE_TLS = _EMAIL_SECURITY == "starttls"
EMAIL_USE_SSL = _EMAIL_SECURITY == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env_text("MASH_EMAIL_FROM", "mash@localhost")

# Files
STATIC_URL = "static/"
STATIC_ROOT = Path(env_text("MASH_STATIC_ROOT", str(MASH_DATA_DIR / "static")))
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

# The API
MASH_WEB_THREADS = env_number("MASH_WEB_THREADS", 16, minimum=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["workspaces.api.authentication.MashAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["workspaces.api.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["workspaces.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "workspaces.api.envelope.exception_handler",
    "UNICODE_JSON": False,
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Mash API",
    "DESCRIPTION": "Talk to agents, follow their requests, read their sessions.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mashsite.openapi.add_streams",
        "mashsite.openapi.add_errors",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RequestStatus": "runtime.kinds.Status",
        "EndReason": "runtime.kinds.Reason",
        "RunStatus": "workflows.public.STATUSES",
        "ScheduleKind": "workflows.schedules.models.Schedule.Kind",
        "InteractionKind": "runtime.models.Interaction.Kind",
        "RequestKind": "runtime.kinds.RequestKind",
    },
}

# Running agents
MASH_HOST_APP = env_text("MASH_HOST_APP")
MASH_LEASE_SECONDS = env_number("MASH_LEASE_SECONDS", 15, minimum=3)
MASH_DRAIN_SECONDS = env_number("MASH_DRAIN_SECONDS", 20, minimum=0)
# The operator's own provider keys serve these workspaces (slugs, or * for all)
MASH_ENVIRONMENT_KEY_WORKSPACES = env_list("MASH_ENVIRONMENT_KEY_WORKSPACES", "*")
# Private addresses that provider calls may reach: host names, comma separated
MASH_ALLOWED_PRIVATE_HOSTS = env_list("MASH_ALLOWED_PRIVATE_HOSTS")
# Workspaces (slugs, or * for all) whose MCP servers may be processes on the workers
MASH_MCP_STDIO_WORKSPACES = env_list("MASH_MCP_STDIO_WORKSPACES")
# Skill folders for the agents of every workspace
MASH_SKILLS_DIR = env_text("MASH_SKILLS_DIR")
# Tools that reach this machine: only for workspaces that the operator names (slugs, or * for all)
MASH_BASH_WORKSPACES = env_list("MASH_BASH_WORKSPACES")
MASH_BASH_USER = env_text("MASH_BASH_USER", "nobody")
MASH_BASH_ROOT = env_text("MASH_BASH_ROOT")
MASH_BASH_MEMORY_MB = env_number("MASH_BASH_MEMORY_MB", 1024, minimum=64)
MASH_BASH_NETWORK = env_flag("MASH_BASH_NETWORK", default=True)
MASH_MASHER_ENABLED = env_flag("MASH_MASHER_ENABLED", default=True)
MASH_FILES_WORKSPACES = env_list("MASH_FILES_WORKSPACES")
MASH_FILES_ROOT = env_text("MASH_FILES_ROOT")
MASH_MAX_MESSAGE_BYTES = 256 * 1024
MASH_MAX_MESSAGE_ATTACHMENTS = 5
MASH_MAX_ATTACHMENT_BYTES = 10 * 1024 * 1024
MASH_MAX_MESSAGE_ATTACHMENT_BYTES = 20 * 1024 * 1024
# Bodies in which attachments travel: base64 makes four bytes of three
MASH_BODY_LIMITS = {
    r"/w/[^/]+/chat/.+": DATA_UPLOAD_MAX_MEMORY_SIZE + MASH_MAX_MESSAGE_ATTACHMENT_BYTES,
    r"/api/v1/agent/[^/]+/request": DATA_UPLOAD_MAX_MEMORY_SIZE + MASH_MAX_MESSAGE_ATTACHMENT_BYTES * 4 // 3,
    r"/api/v1/attachments": DATA_UPLOAD_MAX_MEMORY_SIZE + MASH_MAX_ATTACHMENT_BYTES * 4 // 3,
}

# Showing what the log says: events, traces, usage, search
MASH_OBSERVABILITY_ENABLED = env_flag("MASH_OBSERVABILITY_ENABLED", default=True)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_text("MASH_LOG_LEVEL", "INFO").upper()},
    "loggers": {
        name: {"level": "WARNING"}
        for name in (
            "httpx",
            "httpx2",
            "httpcore",
            "httpcore2",
            "daphne",
            "django.channels.server",
            "django-q",
            "asyncio",
        )
    }
    # The SDK logs whatever a server sends wrong, with a trace each; requests' logs say what matters of it.
    | {name: {"level": "CRITICAL"} for name in ("mcp", "client")},
}
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mashsite.settings")
