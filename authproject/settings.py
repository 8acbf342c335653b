"""What is configured: the environment, read once, becomes Django's settings. README.md has the table."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from authproject import env, logs, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

# ENV_FILE lets the tests run without a developer's own .env.
env.read_file(Path(os.environ.get("ENV_FILE") or BASE_DIR / ".env"))

# --- the process

ENVIRONMENT = env.one_of("ENVIRONMENT", ("development", "production"))
PRODUCTION = ENVIRONMENT == "production"

# Off in development too: Django's debug pages would replace the JSON errors that clients rely on.
DEBUG = env.flag("DEBUG", default=False)

SECRET_KEY = env.secret("SECRET_KEY")
if not SECRET_KEY and PRODUCTION:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. With ENVIRONMENT=production, set it to a random text of 43 characters or more, "
        "the same for every copy of the server and kept secret. This prints one: "
        "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
    )
if not SECRET_KEY:
    SECRET_KEY = secret_key.read_or_create(BASE_DIR / ".secret_key")
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS", [])

HOST = env.text("HOST", "127.0.0.1")
PORT = env.whole_number("PORT", 8080)
WORKERS = env.whole_number("WORKERS", max(2, min(os.cpu_count() or 1, 8)))
PIN_WORKERS = env.flag("PIN_WORKERS", default=False)
THREADS = env.whole_number("THREADS", max(128 // max(WORKERS, 1), 16))
_cores_each = 1 if PIN_WORKERS else (os.cpu_count() or 1) // max(WORKERS, 1)
PASSWORDS_AT_ONCE = env.whole_number("PASSWORDS_AT_ONCE", max(min(_cores_each, THREADS), 1))

ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", HOST])
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS is not set. With ENVIRONMENT=production, set it to the host names that clients "
        "use to reach this server, separated by commas, for instance ALLOWED_HOSTS=api.example.com"
    )
TRUSTED_PROXY_COUNT = env.whole_number("TRUSTED_PROXY_COUNT", 0)
WELCOME_PAGE = env.flag("WELCOME_PAGE", default=not PRODUCTION)

# --- accounts (read through accounts/conf.py only)

ACCESS_TOKEN_LIFETIME = env.whole_number("ACCESS_TOKEN_LIFETIME", 3600)
REFRESH_TOKEN_LIFETIME = env.whole_number("REFRESH_TOKEN_LIFETIME", 86_400)
SESSION_LIFETIME = env.whole_number("SESSION_LIFETIME", 2_592_000)
REFRESH_TOKEN_GRACE = env.whole_number("REFRESH_TOKEN_GRACE", 10)
SESSIONS_PER_USER = env.whole_number("SESSIONS_PER_USER", 50)
AUDIT_KEY = env.secret("AUDIT_KEY")
METRICS_TOKEN = env.secret("METRICS_TOKEN")
AUDIT_SEAL_INTERVAL = env.whole_number("AUDIT_SEAL_INTERVAL", 0)
SIGNING_KEY_DIR = env.folder("SIGNING_KEY_DIR", BASE_DIR)
TOKEN_ISSUER = env.text("TOKEN_ISSUER", "authproject")
TOKEN_AUDIENCE = env.text("TOKEN_AUDIENCE", "authproject")
TOKEN_DELIVERY = env.one_of("TOKEN_DELIVERY", ("body", "cookie", "both"))
COOKIE_SECURE = env.flag("COOKIE_SECURE", default=PRODUCTION)
COOKIE_SAMESITE = env.one_of("COOKIE_SAMESITE", ("Strict", "Lax", "None"))
SELF_ASSIGNABLE_ROLES = env.names("SELF_ASSIGNABLE_ROLES", ["user"])
PASSWORD_WORDS = env.names("PASSWORD_WORDS", [])
BREACHED_PASSWORDS = env.flag("BREACHED_PASSWORDS", default=False)
BREACHED_PASSWORDS_URL = env.text("BREACHED_PASSWORDS_URL", "https://api.pwnedpasswords.com/range/")
REVEAL_UNKNOWN_USERNAME = env.flag("REVEAL_UNKNOWN_USERNAME", default=False)

GUESS_RATE = env.rate("GUESS_RATE", "10/h")
GUESS_RATE_ADDRESS = env.rate("GUESS_RATE_ADDRESS", "100/h")
GUESS_RATE_ACCOUNT = env.rate("GUESS_RATE_ACCOUNT", "100/h")
SIGN_UP_RATE = env.rate("SIGN_UP_RATE", "200/h")
REFRESH_RATE = env.rate("REFRESH_RATE", "60/m")
PASSWORD_CHECK_RATE = env.rate("PASSWORD_CHECK_RATE", "10/h")
CACHE_URL = env.redis("CACHE_URL")

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.AccountBackend"]
# The first makes all hashes; the others check those that were brought over.
PASSWORD_HASHERS = ["accounts.hashers.Argon2idHasher", "accounts.hashers.BcryptHasher"]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "accounts.password_rules.TextValidator"},
    {"NAME": "accounts.password_rules.MaximumLengthValidator", "OPTIONS": {"max_length": 256}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "email")},
    },
    {"NAME": "accounts.password_rules.WordsValidator"},
]
if BREACHED_PASSWORDS:
    AUTH_PASSWORD_VALIDATORS.append({"NAME": "accounts.breached.BreachedPasswordValidator"})

# --- what is mounted

INSTALLED_APPS = [
    # For its templates and static files.
    "authproject",
    "accounts",
    "content",
    "accounts.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "csp",
    "drf_spectacular",
    # Swagger UI, for the page at /docs.
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "authproject.request_log.RequestLogMiddleware",
    # Out here it sees every answer: refusals, preflights and static files too.
    "authproject.headers.HeadersMiddleware",
    "authproject.requests.TrustedProxyMiddleware",
    "authproject.pages.CorsMiddleware",
    # Requests of programs go from here straight to their views.
    "authproject.pages.PagesMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "authproject.urls"
WSGI_APPLICATION = "authproject.wsgi.application"
# A redirect would turn a POST into a GET and lose its body.
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["authproject.parsers.JSONParser", "authproject.parsers.FormParser"],
    "DEFAULT_RENDERER_CLASSES": ["authproject.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "authproject.parsers.AlwaysTheFirstRenderer",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "authproject.schema.AutoSchema",
    "EXCEPTION_HANDLER": "authproject.errors.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "authproject",
    "VERSION": "unreleased",
    "DESCRIPTION": "Sign-up, sign-in, refresh, sign-out, and an API guarded by roles.",
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    # In the order in which one needs them; those of your own views come after.
    "TAGS": [
        {"name": "auth", "description": "Sign up, sign in, refresh, sign out."},
        {"name": "own", "description": "One's own account and sessions."},
        {"name": "board", "description": "What is guarded."},
        {"name": "user", "description": "People, for admins."},
        {"name": "role", "description": "Roles, for admins."},
        {"name": "audit", "description": "Who did what, for admins."},
        {"name": "welcome", "description": "The front door, and documentation."},
        {"name": "keys", "description": "How other services verify tokens."},
        {"name": "health", "description": "Whether this copy of the server can serve."},
        {"name": "metrics", "description": "What was counted."},
    ],
    # A PATCH may ask for a field too: the current password.
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "authproject.examples.put_in"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "metrics": {"type": "http", "scheme": "bearer", "description": "METRICS_TOKEN, which is no user's."}
        }
    },
}

# --- the database

DATABASE_CONNECTIONS = env.whole_number("DATABASE_CONNECTIONS", max(32 // max(WORKERS, 1), 4))
DATABASE_TIMEOUT = env.whole_number("DATABASE_TIMEOUT", 10)
DATABASES = {"default": env.database("DATABASE_URL", BASE_DIR / "db.sqlite3")}
_database = DATABASES["default"]
_OPTIONS: dict[str, dict[str, Any]] = {
    # Writers queue at BEGIN instead of failing with 'database is locked' when they upgrade a read lock.
    "django.db.backends.sqlite3": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    },
    # Who waits for a row is told so (1205), and tries again, before the whole connection is given up.
    "django.db.backends.mysql": {
        "charset": "utf8mb4",
        "connect_timeout": 3,
        "init_command": f"SET innodb_lock_wait_timeout={max(DATABASE_TIMEOUT // 2, 1)}",
    },
}
_database["OPTIONS"] = {**_OPTIONS.get(_database["ENGINE"], {}), **_database.get("OPTIONS", {})}
_database["CONN_MAX_AGE"] = 60
_database["CONN_HEALTH_CHECKS"] = True

# --- browsers

_DEVELOPMENT_ORIGINS = ["http://localhost:8081", "http://localhost:4200", "http://localhost:3000"]
CORS_ALLOWED_ORIGINS = env.names("CORS_ALLOWED_ORIGINS", [] if PRODUCTION else _DEVELOPMENT_ORIGINS)
# Not the admin: a listed front-end has no business reading its pages with the admin's cookie.
CORS_URLS_REGEX = r"^/(?!admin)"
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = ["x-access-token", "authorization", "origin", "content-type", "accept"]
CORS_EXPOSE_HEADERS = ["Retry-After", "X-Request-ID"]

# The cookies of the admin. With this prefix browsers insist on Secure and Path=/, and on no other host's having set it.
_PREFIX = "__Host-" if COOKIE_SECURE else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_PREFIX}sessionid", f"{_PREFIX}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = COOKIE_SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 60 * 60
CSRF_FAILURE_VIEW = "authproject.errors.csrf_failure"
# Not in a cookie of their own.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("HSTS_INCLUDE_SUBDOMAINS", default=PRODUCTION)
SECURE_HSTS_PRELOAD = False
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# What the pages of the admin need, and no more: all of it comes in files from here, nothing stands in the page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

SILENCED_SYSTEM_CHECKS = [
    # The username is unique by its key column, see accounts/names.py.
    "auth.W004",
    # HTTP is redirected (or refused) by the proxy in front; here a redirect would lose the body of a POST.
    "security.W008",
    # Whether to be in the browsers' preload list is the domain owner's call.
    "security.W021",
]

# --- logs

LOG_LEVEL = env.one_of("LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL"))
LOG_FORMAT = env.one_of("LOG_FORMAT", ("json", "console") if PRODUCTION else ("console", "json"))
LOGGING = logs.config(LOG_LEVEL)
