"""Redis is optional: cache, throttles and socket groups use it when it is named; wake-ups come from
PostgreSQL.
"""

from genengine.settings import environment as env

REDIS_URL = env.url(
    "REDIS_URL", "", ("redis", "rediss", "unix"), "Redis for cache and throttles. Optional.", secret=True
)

CACHES: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "ge",
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "genengine"}
}
CHANNEL_LAYERS: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
