"""How colours look: to people who see all of them, and to those who do not."""

import math

Lab = tuple[float, float, float]
Matrix = tuple[tuple[float, float, float], ...]

# Machado, Oliveira and Fernandes, 2009, severity 1.0, on linear RGB.
SIGHTS: dict[str, Matrix] = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
_TO_XYZ: Matrix = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE = (0.95047, 1.0, 1.08883)


def luminance(colour: str) -> float:
    return sum(a * b for a, b in zip(_TO_XYZ[1], _linear(colour), strict=True))


def seen_as(colour: str, sight: str) -> Lab:
    light = [min(max(part, 0), 1) for part in _times(SIGHTS[sight], _linear(colour))]
    x, y, z = (_cube_root(part / w) for part, w in zip(_times(_TO_XYZ, light), _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(one: Lab, other: Lab) -> float:
    # CIEDE2000 with all weights 1.
    mean_chroma = (math.hypot(*one[1:]) + math.hypot(*other[1:])) / 2
    stretch = 1 + 0.5 * (1 - _far_blue(mean_chroma) / 2)
    (chroma1, hue1), (chroma2, hue2) = (_polar(stretch * c[1], c[2]) for c in (one, other))
    turn = (hue2 - hue1 + 180) % 360 - 180
    lightness, chroma = (one[0] + other[0]) / 2, (chroma1 + chroma2) / 2
    hue = hue1 + turn / 2
    off = (lightness - 50) ** 2
    by_lightness = (other[0] - one[0]) / (1 + 0.015 * off / math.sqrt(20 + off))
    by_chroma = (chroma2 - chroma1) / (1 + 0.045 * chroma)
    by_hue = 2 * math.sqrt(chroma1 * chroma2) * math.sin(math.radians(turn / 2))
    by_hue /= 1 + 0.015 * chroma * _hue_weight(hue)
    rotation = 60 * math.exp(-((((hue % 360) - 275) / 25) ** 2))
    crossed = -math.sin(math.radians(rotation)) * _far_blue(chroma) * by_chroma * by_hue
    return math.sqrt(by_lightness**2 + by_chroma**2 + by_hue**2 + crossed)


def _linear(colour: str) -> list[float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def _times(matrix: Matrix, vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def _cube_root(part: float) -> float:
    return math.cbrt(part) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116


def _polar(a: float, b: float) -> tuple[float, float]:
    return math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def _far_blue(chroma: float) -> float:
    return 2 * math.sqrt(chroma**7 / (chroma**7 + 25**7))


def _hue_weight(hue: float) -> float:
    waves = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    return 1 + sum(part * math.cos(math.radians(n * hue + shift)) for part, n, shift in waves)
