"""The ASGI application: pages and API over HTTP, sockets over WebSocket."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genengine.settings.local")

http = get_asgi_application()  # loads the apps; what follows needs them

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from jobs.timeline.consumers import JobEvents, NoSuchSocket  # noqa: E402

sockets = URLRouter(
    [
        path("ws/jobs/<uuid:job_id>", JobEvents.as_asgi()),
        re_path(r"", NoSuchSocket.as_asgi()),
    ]
)
application = ProtocolTypeRouter({"http": http, "websocket": sockets})
