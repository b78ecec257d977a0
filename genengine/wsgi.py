"""The WSGI application, for hosts that serve pages and API without sockets."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genengine.settings.local")

application = get_wsgi_application()
