"""What the viewer is given, and what it gives back. Coordinates are source pixels from the film's top left corner."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from medcam.core.arrays import ByteArray, FloatArray, frozen_array
from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.errors import InvalidValueError
from medcam.core.finding import Point, Region
from medcam.core.geometry import Box, GridTransform
from medcam.core.radiograph import PixelSpacing

COLOURS = 256
"""Entries of a colour table."""


class Renderer(StrEnum):
    """What draws the film: the graphics card where it is a real one, or one of the two whatever the machine."""

    AUTO = "auto"
    WEBGL = "webgl"
    CANVAS = "canvas"


class OpacityMode(StrEnum):
    """Whether colours are equally opaque, or stronger evidence more so."""

    VALUE = "value"
    CONSTANT = "constant"


class ViewerLayout(StrEnum):
    """Where the controls of the map are: all of them beside the film, or the most used ones below it."""

    SIDE = "side"
    STRIP = "strip"


class RegionKind(StrEnum):
    """The forms in which a reader may draw a region."""

    BOX = "box"
    OUTLINE = "outline"


@dataclass(frozen=True, eq=False)
class ViewerFilm:
    """A film and where its pixels are fetched.

    Args:
        url: Address of the bytes of a `PackedFilm`, on the page's own server; another film has another address.
        rows: Rows of the film.
        columns: Columns of the film.
        slope: Of the packed film.
        intercept: Of the packed film.
        window: How the film is shown at first. Centre, width and the value under the cursor are those of the file,
            before polarity was normalised.
        spacing: mm between pixels, None when unknown.
        aspect: Height of a pixel over its width, for films without a spacing.
        orientation: As `Radiograph.patient_orientation`; empty when unknown, and then no letter is shown.
        title: What a screen reader calls the film. No name of a patient.
    """

    url: str
    rows: int
    columns: int
    slope: float
    intercept: float
    window: DisplayWindow
    spacing: PixelSpacing | None = None
    aspect: float = 1.0
    orientation: tuple[str, ...] = ()
    title: str = ""

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1:
            raise InvalidValueError(f"a film of {self.rows} x {self.columns} has no pixel")
        if not (math.isfinite(self.aspect) and self.aspect > 0.0):
            raise InvalidValueError("the aspect of a pixel must be positive")
        if not (math.isfinite(self.slope) and math.isfinite(self.intercept) and self.slope > 0.0):
            raise InvalidValueError("a packed film has a positive slope and a finite intercept")

    @property
    def pixel_aspect(self) -> float:
        """Height of a pixel over its width, by the spacing where there is one."""
        return self.aspect if self.spacing is None else self.spacing.row / self.spacing.column


@dataclass(frozen=True, eq=False)
class ViewerFinding:
    """One finding as the viewer shows it.

    Args:
        name: The finding's name on the model card; comes back with a region.
        label: Its name for the eye, in the page's language.
        probability: 0 to 1.
        threshold: Operating threshold on the probability.
        present: Whether the model says so; None when withheld.
        values: The raw map, float32 [height, width].
        transform: From source pixels to the map's grid.
        ledger: Whether the map is in logit units that add up to the logit.
        regions: Their boxes are drawn.
        zones: Evidence per zone in logit units; None where unknown.
        map_threshold: Map value above which the map is coloured and outlined at first: that of the region rule.
        scale: Logit units per cell at full colour, the same for every film of the model; None for that of the viewer.
        film_scale: Whether that scale is this film's own, since none was measured: said beside the colour bar.
    """

    name: str
    label: str
    probability: float
    threshold: float
    present: bool | None
    values: FloatArray = field(repr=False)
    transform: GridTransform
    ledger: bool = True
    regions: tuple[Region, ...] = ()
    zones: Mapping[str, float] | None = None
    map_threshold: float = 0.0
    scale: float | None = None
    film_scale: bool = False

    def __post_init__(self) -> None:
        values = frozen_array(self.values, np.float32, 2, "map values")
        if values.shape != (self.transform.height, self.transform.width) or not np.isfinite(values).all():
            raise InvalidValueError("a map is finite and has the shape of its grid")
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0.0):
            raise InvalidValueError("a colour scale needs a positive end")
        object.__setattr__(self, "values", values)


@dataclass(frozen=True, eq=False)
class ViewerZone:
    """Where an anatomical zone lies.

    Args:
        name: As in `ViewerFinding.zones`.
        label: Its name for the eye.
        polygons: Its outlines.
    """

    name: str
    label: str
    polygons: tuple[tuple[Point, ...], ...]


@dataclass(frozen=True, eq=False)
class ViewerColours:
    """A colour map.

    Args:
        name: Comes back with a region.
        label: Its name for the eye.
        table: uint8 RGB [256, 3], from no evidence to full scale, or from -full scale to +full scale where signed.
        signed: Whether evidence against is coloured too.
    """

    name: str
    label: str
    table: ByteArray = field(repr=False)
    signed: bool = False

    def __post_init__(self) -> None:
        table = frozen_array(self.table, np.uint8, 2, "colour table")
        if table.shape != (COLOURS, 3):
            raise InvalidValueError(f"a colour table has the shape ({COLOURS}, 3), not {table.shape}")
        object.__setattr__(self, "table", table)


@dataclass(frozen=True, slots=True)
class ViewerFrame:
    """How a viewer stands on its page.

    Args:
        height: At most, in CSS pixels.
        room: CSS pixels of the window's height that are left to the rest of the page; the viewer takes what remains,
            but 420 at least.
        layout: Where the controls are.
        link: Viewers of a page with the same name here move together; empty for one that stands alone.
        drawing: Whether a region can be drawn.
        misleading: Address of a page on how a map can mislead, on the page's own server; empty for no link to it.
    """

    height: int = 720
    room: int = 0
    layout: ViewerLayout = ViewerLayout.SIDE
    link: str = ""
    drawing: bool = True
    misleading: str = ""


@dataclass(frozen=True, slots=True)
class ShownWindow:
    """A window that a reader chose instead of the file's; centre and width as in `DisplayWindow`."""

    function: VoiFunction
    center: float
    width: float


@dataclass(frozen=True, slots=True)
class ViewerDisplay:
    """How a film is shown. None of it changes a pixel.

    Args:
        finding: Whose map is shown; empty for the first.
        window: None for the film's own.
        invert: Black and white exchanged.
        rotation: Degrees clockwise: 0, 90, 180 or 270.
        flip: Left and right mirrored, after the rotation.
        zoom: CSS pixels for each source pixel; None fits the film.
        centre: The source point in the middle of the view; None for the film's middle.
        overlay: Whether the map is coloured.
        opacity: Of full scale, 0 to 1.
        opacity_mode: By value or constant.
        colours: Name of the colour map; empty for the first.
        threshold: Map value above which the map is shown; None for the finding's own.
        contour: Whether the map's outline at the threshold is drawn.
        boxes: Whether the boxes of the regions are drawn.
        zones: Whether the evidence per zone is drawn.
        side_by_side: Film and map in two linked views.
    """

    finding: str = ""
    window: ShownWindow | None = None
    invert: bool = False
    rotation: int = 0
    flip: bool = False
    zoom: float | None = None
    centre: Point | None = None
    overlay: bool = True
    opacity: float = 0.52
    opacity_mode: OpacityMode = OpacityMode.VALUE
    colours: str = ""
    threshold: float | None = None
    contour: bool = True
    boxes: bool = True
    zones: bool = False
    side_by_side: bool = False

    def __post_init__(self) -> None:
        if self.rotation not in (0, 90, 180, 270):
            raise InvalidValueError(f"a film is turned by quarters, not by {self.rotation} degrees")
        if not 0.0 <= self.opacity <= 1.0:
            raise InvalidValueError("an opacity lies between 0 and 1")
        if self.zoom is not None and not (math.isfinite(self.zoom) and self.zoom > 0.0):
            raise InvalidValueError("a zoom is positive")
        if self.threshold is not None and not self.threshold >= 0.0:
            raise InvalidValueError("a threshold of a map is at least 0")


@dataclass(frozen=True, slots=True)
class ViewerRegion:
    """A region that a reader drew and confirmed.

    Args:
        finding: The finding that was shown.
        kind: Box or outline.
        points: Top left and bottom right corner of a box; the corners of an outline in order.
        display: How the film was shown.
    """

    finding: str
    kind: RegionKind
    points: tuple[Point, ...]
    display: ViewerDisplay

    @property
    def box(self) -> Box:
        """The tightest box around it."""
        xs, ys = [point.x for point in self.points], [point.y for point in self.points]
        return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


@dataclass(frozen=True, slots=True)
class ViewerAnswer:
    """What a reader did in the viewer since the page last ran.

    Args:
        region: A confirmed region; None when there is none, also in the run after.
    """

    region: ViewerRegion | None = None
