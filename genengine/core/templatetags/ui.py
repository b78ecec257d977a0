"""Tags and filters of every page: icons, money, times. No business word here."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from genengine.core.money import format_micro

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw an icon of `static/img/icons.svg`; without a label it is decoration and hidden from screen readers."""
    href = static("img/icons.svg") + f"#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, href)
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', href)


@register.filter
def money(micro: int | None) -> str:
    """Write micro-units as money for people."""
    return "–" if micro is None else format_micro(int(micro))


@register.filter
def signed_money(micro: int | None) -> str:
    """Write a difference of money with its sign."""
    if micro is None:
        return "–"
    if micro == 0:
        return "±$0.00"
    return ("+" if micro > 0 else "−") + format_micro(abs(int(micro)))


@register.filter
def seconds(milliseconds: int | None) -> str:
    """Write a length in milliseconds as seconds: 4 s, 2.5 s."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds / 1000:.2f}".rstrip("0").rstrip(".") + " s"


@register.filter
def span(value: float | timedelta | None) -> str:
    """Write a waiting time in seconds for people: 40 s, 3 min, 1 h 20 min."""
    if value is None:
        return "–"
    total = round(value.total_seconds() if isinstance(value, timedelta) else float(value))
    if total < 60:
        return f"{total} s"
    if total < 3600:
        minutes, rest = divmod(total, 60)
        return f"{minutes} min {rest} s" if minutes < 5 and rest else f"{round(total / 60)} min"
    hours, rest = divmod(total, 3600)
    return f"{hours} h {round(rest / 60)} min" if rest >= 60 else f"{hours} h"


@register.filter
def ago(moment: datetime | None) -> str:
    """Write a moment as people say it: just now, 5 min ago, yesterday 14:02, 3 Nov 14:02."""
    if moment is None:
        return "–"
    now = timezone.now()
    passed = (now - moment).total_seconds()
    local, today = timezone.localtime(moment), timezone.localtime(now).date()
    if 0 <= passed < 45:
        return "just now"
    if 0 <= passed < 3600:
        return f"{max(1, round(passed / 60))} min ago"
    if local.date() == today:
        return f"today {local:%H:%M}"
    if local.date() == today - timedelta(days=1):
        return f"yesterday {local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}" if local.year == today.year else f"{local.day} {local:%b %Y}"


@register.filter
def file_size(size: int | None) -> str:
    """Write bytes as kB, MB or GB."""
    if size is None:
        return "–"
    for unit, factor in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


@register.filter
def lookup(mapping: Any, key: Any) -> Any:
    """Return one value of a mapping, or nothing."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.filter
def without_key(name: str, key: str) -> str:
    """Return a name without the letter that is drawn beside it: "A · Local engine" → "Local engine"."""
    return name.removeprefix(f"{key} · ") or name


@register.filter
def percent(fraction: float | None) -> str:
    """Write 0..1 as a whole percentage."""
    return "–" if fraction is None else f"{round(fraction * 100)} %"


@register.simple_tag
def share(part: float, whole: float) -> str:
    """Return `part` of `whole` as a percentage for an SVG attribute, within 0 and 100."""
    value = 0.0 if not whole else min(100.0, max(0.0, 100.0 * float(part) / float(whole)))
    return f"{value:.3f}%"
