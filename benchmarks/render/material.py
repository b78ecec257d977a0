"""Material for the reference ad, made the same every time: three product pictures, a logo, a piece of music."""

from __future__ import annotations

import wave
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONT = Path(__file__).resolve().parents[2] / "genengine" / "media" / "fonts" / "Montserrat-Bold.ttf"
SIZE = (3000, 2000)
RATE = 48_000
VIGNETTE = 0.35
"""Of the light, lost from the middle to a corner's place on the circle around the picture, as lenses do it; without it
the grain of a plain ground is all an encoder has to keep, and it keeps none."""


def make(folder: Path, pictures: int = 6) -> Path:
    """Write the files into the folder, unless they are there, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, pictures + 1):
        if not (place := folder / f"p{number}.jpg").exists():
            picture(number).save(place, quality=90)
    if not (place := folder / "logo.png").exists():
        logo().save(place)
    if not (place := folder / "music.wav").exists():
        music(place)
    return folder


def picture(number: int) -> Image.Image:
    """A bottle with fine print on a textured ground, with grain: hard for a resampler, honest for an encoder."""
    width, height = SIZE
    random = np.random.default_rng(number)
    ground = _ground(random, width, height)
    image = Image.fromarray(ground)
    middle, colour = width // 2, tuple(int(value) for value in random.integers(30, 210, 3))
    shadow = Image.new("L", SIZE, 0)
    ImageDraw.Draw(shadow).ellipse((middle - 450, 1600, middle + 500, 1790), fill=140)
    image.paste((18, 16, 20), mask=shadow.filter(ImageFilter.GaussianBlur(38)))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((middle - 290, 420, middle + 290, 1730), 100, fill=colour)
    draw.rounded_rectangle((middle - 120, 190, middle + 120, 430), 36, fill=tuple(value // 2 for value in colour))
    draw.rectangle((middle - 290, 880, middle + 290, 1320), fill=(244, 242, 236))
    name = ("NORTH", "RIVER", "STONE", "CLOUD", "EMBER", "FIELD")[number % 6]
    draw.text((middle, 1010), name, font=ImageFont.truetype(str(FONT), 140), fill=colour, anchor="mm")
    small = ImageFont.truetype(str(FONT), 34)
    draw.text((middle, 1130), f"insulated · 750 ml · no. {number:02}", font=small, fill=(50, 50, 50), anchor="mm")
    for row in range(20):
        draw.line((middle - 250, 1190 + 5 * row, middle + 250 - 11 * row, 1190 + 5 * row), fill=(95, 95, 95))
    return image


def _ground(random: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    tones = random.uniform(60, 215, (2, 3)).astype(np.float32)
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    ground = np.broadcast_to(tones[0] * (1 - share) + tones[1] * share, (height, width, 3)).copy()
    for scale, strength in ((240, 16), (40, 9), (8, 6)):
        noise = random.normal(0, strength, (height // scale + 2, width // scale + 2)).astype(np.float32)
        ground += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    ground += random.normal(0, 2.5, (height, width, 1)).astype(np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = (x / width - 0.5) ** 2 + (y / height - 0.5) ** 2
    ground *= (1 - VIGNETTE * 2 * away)[..., None]
    return np.clip(ground, 0, 255).astype(np.uint8)


def logo() -> Image.Image:
    """A badge with partly transparent ground."""
    image = Image.new("RGBA", (640, 280), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((4, 4, 635, 275), 80, fill=(240, 90, 40, 215))
    draw.text((320, 140), "brand", font=ImageFont.truetype(str(FONT), 120), fill=(255, 255, 255, 255), anchor="mm")
    return image


def music(path: Path, seconds: int = 32) -> None:
    """Chords with a beat, so that loudness and limiting have something to do."""
    time = np.arange(seconds * RATE) / RATE
    sound = np.zeros((len(time), 2))
    for step, base in enumerate((220.0, 174.6, 196.0, 164.8)):
        here = (time // 2 % 4 == step).astype(float)
        for side, detune in ((0, -0.5), (1, 0.5)):
            tones = sum(np.sin(2 * np.pi * (base * ratio + detune) * time) for ratio in (1, 1.25, 1.5, 2))
            sound[:, side] += 0.06 * here * tones
    beat = time % 0.5
    kick = 0.8 * np.sin(2 * np.pi * 55 * beat) * np.exp(-beat * 16)
    hat = 0.15 * np.random.default_rng(3).normal(0, 1, len(time)) * np.exp(-((time + 0.25) % 0.5) * 70)
    mixed = sound + (kick + hat)[:, None]
    pcm = np.clip(mixed / np.abs(mixed).max() * 0.8 * 32767, -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm.tobytes())
