"""Every setting of the desk, read from the environment and nowhere else.

A secret may come from a file instead: set ``NAME_FILE`` to its path (Docker and Kubernetes
mount secrets that way). A value that is wrong or missing stops the start with the variable's
name, before anything has connected to anything.

``NEWSDESK_ENV`` decides how forgiving the start is. ``development`` (the default) starts the
embedded engines and makes up its own secrets under ``VAR_DIR``; ``production`` insists on every
variable that an installation must decide for itself.
"""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from config.environment import Environment
from config.logging import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

NEWSDESK_ENV = env.choice("NEWSDESK_ENV", ("development", "production"), default="development")
PRODUCTION = NEWSDESK_ENV == "production"
DEBUG = env.flag("DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG: must be off when NEWSDESK_ENV is production.")
VAR_DIR = Path(env.text("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()

# --- secrets: given in production, made up once and kept under var/secrets in development ---
development_secrets = None if PRODUCTION else VAR_DIR / "secrets"
SECRET_KEY = env.secret("SECRET_KEY", made_up_in=development_secrets, least=50)
JWT_SIGNING_KEY = env.secret("JWT_SIGNING_KEY", made_up_in=development_secrets, least=32)
FIELD_ENCRYPTION_KEYS = env.fernet_keys("FIELD_ENCRYPTION_KEYS", made_up_in=development_secrets)

# --- engines ---
DATABASE_URL = env.url("DATABASE_URL", ("postgres", "postgresql"), required=PRODUCTION)
REDIS_URL = env.url("REDIS_URL", ("redis", "rediss", "unix"), required=PRODUCTION)
if not (DATABASE_URL and REDIS_URL):
    from config.embedded import ensure

    _engines = ensure(VAR_DIR, postgres=not DATABASE_URL, valkey=not REDIS_URL)
    DATABASE_URL = DATABASE_URL or _engines.database_url
    REDIS_URL = REDIS_URL or _engines.redis_url

DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
DATABASES["default"]["ATOMIC_REQUESTS"] = False
DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 5
if env.flag("DATABASE_POOL", default=False):  # the web processes; workers keep one connection
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 8, "timeout": 5}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- mail to administrators: what the desk stops by itself, and errors ---
EMAIL_URL = env.url("EMAIL_URL", ("smtp", "smtp+tls", "smtp+ssl"), required=False)
ADMINS = [(address, address) for address in env.names("ADMINS")]
if EMAIL_URL:
    vars().update(environ.Env.email_url_config(EMAIL_URL))
else:  # nobody to send it: it stands on the pages and in the log anyway
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
EMAIL_TIMEOUT = 10
EMAIL_SUBJECT_PREFIX = "[Newsdesk] "
SERVER_EMAIL = env.text(
    "SERVER_EMAIL", default=next((each for _, each in ADMINS), "root@localhost")
)

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "newsdesk",
        "OPTIONS": {"socket_timeout": 5, "socket_connect_timeout": 2},
    }
}

# --- web ---
HOST = env.text("HOST", default="127.0.0.1")
PORT = env.number("PORT", default=8000, least=0, most=65535)
PUBLIC_URL = env.text("PUBLIC_URL", default="" if PRODUCTION else f"http://{HOST}:{PORT}")
if PRODUCTION and not PUBLIC_URL.startswith("https://"):
    raise ImproperlyConfigured(
        "PUBLIC_URL: must be the https address at which editors reach the desk, "
        "such as https://desk.example.org."
    )
STORY_URL = env.story_url("STORY_URL")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"], required=PRODUCTION)
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])
CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/(?:api/.*|feeds/[^/]+\.json)$"
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", default=0, least=0, most=5)

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEMO = env.flag("DEMO", default=False)  # only a label; `make demo` sets it
SITE_NAME = env.text("SITE_NAME", default="Newsdesk")

INSTALLED_APPS = [
    "config.apps.NewsdeskConfig",  # first: its templates and commands win
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "corsheaders",
    "django_celery_beat",
    "django_filters",
    "django_prose_editor",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "simple_history",
    "articles",
    "sources",
    "publishing",
    "ai",
]
MIDDLEWARE = [
    "config.health.Probes",  # first: a probe knows neither our host name nor https
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]
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
            ]
        },
    }
]

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", default=str(VAR_DIR / "static")))
if not PRODUCTION:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise looks there as well
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
MEDIA_ROOT = VAR_DIR / "media"

LANGUAGE_CODE = env.text("LANGUAGE_CODE", default="en")
TIME_ZONE = env.time_zone("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True

# --- people ---
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
ACCOUNT_ADAPTER = "config.accounts.ClosedDoor"
ACCOUNT_EMAIL_VERIFICATION = "none"
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("app",)
HEADLESS_TOKEN_STRATEGY = "allauth.headless.tokens.strategies.jwt.JWTTokenStrategy"  # noqa: S105 (a dotted path)
HEADLESS_JWT_ALGORITHM = "HS256"
HEADLESS_JWT_PRIVATE_KEY = JWT_SIGNING_KEY
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 10 * 60
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = 14 * 24 * 3600
HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True  # a changed password ends every token at once
HEADLESS_JWT_ROTATE_REFRESH_TOKEN = True
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# --- security headers; strict in production, workable over plain http on a laptop ---
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=PRODUCTION)
SECURE_HSTS_SECONDS = env.number(
    "SECURE_HSTS_SECONDS", default=31_536_000 if PRODUCTION else 0, least=0, most=63_072_000
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6000  # every line of an imported list may be ticked

# --- API ---
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "allauth.headless.contrib.rest_framework.authentication.JWTTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["config.rest.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.rest.StrictJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "config.rest.NewestFirst",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["config.throttles.PerUserThrottle"],
    "EXCEPTION_HANDLER": "config.api.problem",
    "PAGE_SIZE": 50,
    "NUM_PROXIES": TRUSTED_PROXIES,
}
API_REQUESTS_PER_MINUTE = env.number("API_REQUESTS_PER_MINUTE", default=600, least=1, most=10**6)
SPECTACULAR_SETTINGS = {
    "TITLE": "Newsdesk API",
    "VERSION": "1",
    "DESCRIPTION": "Stories, deliveries and publishing of a Newsdesk installation.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Celery: a message only rings the bell, rows in PostgreSQL are the truth ---
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 10,  # without it a half-open connection leaves a worker deaf (celery#8030)
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "global_keyprefix": "newsdesk:celery:",
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_ROUTES = {
    "sources.*": {"queue": "fetch"},
    "publishing.*": {"queue": "publish"},
    "ai.*": {"queue": "ai"},
}
CELERY_TASK_TIME_LIMIT = 15 * 60
CELERY_TASK_PUBLISH_RETRY = False  # a bell that can't ring now rings at the next tick
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # KiB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- what leaves the desk ---
OUTBOUND_ALLOWED_NETWORKS = env.networks("OUTBOUND_ALLOWED_NETWORKS", default=[])
OUTBOUND_USER_AGENT = env.text(
    "OUTBOUND_USER_AGENT", default=f"Newsdesk/0.1 (+{PUBLIC_URL or 'https://newsdesk.invalid'})"
)

WEBSUB_CALLBACK_URL = env.url("WEBSUB_CALLBACK_URL", ("http", "https"), required=False)

# --- AI: a provider without a key is simply not offered ---
AI_PROVIDER = env.choice(
    "AI_PROVIDER", ("extractive", "openai", "anthropic", "ollama"), default="extractive"
)
OPENAI_API_KEY = env.secret("OPENAI_API_KEY", required=False)
OPENAI_BASE_URL = env.text("OPENAI_BASE_URL", default="https://api.openai.com/v1")
OPENAI_MODEL = env.text("OPENAI_MODEL", default="gpt-6-luna")
ANTHROPIC_API_KEY = env.secret("ANTHROPIC_API_KEY", required=False)
ANTHROPIC_BASE_URL = env.text("ANTHROPIC_BASE_URL", default="https://api.anthropic.com")
ANTHROPIC_MODEL = env.text("ANTHROPIC_MODEL", default="claude-haiku-5-5")
OLLAMA_BASE_URL = env.text("OLLAMA_BASE_URL", default="")
OLLAMA_MODEL = env.text("OLLAMA_MODEL", default="llama3.2")

# --- third-party adapters: key=dotted.path, joined to the built-in tables ---
EXTRA_CONNECTORS = env.table("EXTRA_CONNECTORS")
EXTRA_PLATFORMS = env.table("EXTRA_PLATFORMS")

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_config(
    env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO"),
    as_json=env.flag("LOG_JSON", default=PRODUCTION),
)

# --- the console (django-unfold); callbacks live in config.console and config.today ---
UNFOLD = {
    "SITE_TITLE": SITE_NAME,
    "SITE_HEADER": SITE_NAME,
    "SITE_SUBHEADER": "Editorial desk",
    "SITE_URL": None,
    "SITE_ICON": "config.console.logo",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "config.console.logo"}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "ENVIRONMENT": "config.console.environment",
    "DASHBOARD_CALLBACK": "config.today.dashboard",
    "STYLES": ["config.console.stylesheet"],
    "SCRIPTS": ["config.console.script"],
    "BORDER_RADIUS": "6px",
    "LOGIN": {"image": "config.console.login_image"},
    "COLORS": {
        "primary": {
            "50": "oklch(97.3% .013 235)",
            "100": "oklch(94.4% .028 235)",
            "200": "oklch(88.9% .054 235)",
            "300": "oklch(80.8% .092 235)",
            "400": "oklch(70.5% .118 235)",
            "500": "oklch(59.8% .118 236)",
            "600": "oklch(49.5% .102 237)",
            "700": "oklch(42.7% .088 237)",
            "800": "oklch(36.8% .073 237)",
            "900": "oklch(31.4% .06 237)",
            "950": "oklch(23.6% .045 237)",
        }
    },
    "COMMAND": {"search_models": False, "show_history": True},
    "SIDEBAR": {
        "show_search": False,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "config.console.sidebar",
    },
}
