"""What all processes of an installation share."""

from genengine.settings.auth import *
from genengine.settings.caching import *
from genengine.settings.database import *
from genengine.settings.engine import *
from genengine.settings.engines import *
from genengine.settings.logging import *
from genengine.settings.paths import *
from genengine.settings.queue import *
from genengine.settings.rest import *
from genengine.settings.security import *
from genengine.settings.storage import *

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "django_q",
    "guardian",
    "django_htmx",
    "template_partials",
    "csp",
    "genengine.core",
    "genengine.workspaces",
    "genengine.assets",
    "compliance",
    "billing",
    "providers",
    "jobs",
    "campaigns",
]

MIDDLEWARE = [
    "genengine.core.middleware.CorrelationMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
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
                "genengine.workspaces.access.workspace_context",
            ],
        },
    }
]

ROOT_URLCONF = "genengine.urls"
ASGI_APPLICATION = "genengine.asgi.application"
WSGI_APPLICATION = "genengine.wsgi.application"

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "genengine.core.formats"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

PGTRIGGER_MIGRATIONS = True
