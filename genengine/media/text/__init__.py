"""Words as bitmaps: shaping, font fallback, fitting into a box, plates and outlines. Text is never interpreted."""
