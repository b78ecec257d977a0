"""An installation that others reach: refuses to start with what is only good on one machine."""

from django.core.exceptions import ImproperlyConfigured

from genengine.settings.base import *

if DEBUG:
    raise ImproperlyConfigured("GE_DEBUG must be off with genengine.settings.production.")
if not GE_BASE_URL:
    raise ImproperlyConfigured("GE_BASE_URL must be set with genengine.settings.production: the address people use.")
