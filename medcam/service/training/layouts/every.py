"""All layouts, and which one a source has."""

from __future__ import annotations

from pathlib import Path

from medcam.core.errors import UsageError
from medcam.service.training.layouts import chexpert, class_folders, mimic, nih, reviews, rsna, table, vindr
from medcam.service.training.layouts.listing import Layout, Listing

LAYOUTS: tuple[Layout, ...] = tuple(
    module.LAYOUT for module in (table, nih, chexpert, mimic, vindr, rsna, reviews, class_folders)
)
"""In the order in which they are tried."""
AUTO = "auto"
NAMES = (AUTO, *(layout.name for layout in LAYOUTS))


def read_listing(source: str, name: str = AUTO) -> Listing:
    """Reads films and labels of a source, without reading a film.

    Args:
        source: A folder, a table, or a store.
        name: Of the layout; "auto" tells it by the columns of the tables.

    Raises:
        UsageError: There is no such source (`no-such-source`), no such layout or none that fits (`training-layout`),
            or its tables are malformed (`training-table`).
        PlacesError: A table of boxes is malformed.
    """
    if "://" not in source and not Path(source).exists():
        raise UsageError(
            f"there is no folder {source}",
            code="no-such-source",
            next_step="Check the path; or give `phantom` or `text`.",
        )
    listing = _chosen(source, name).read(source)
    if not listing.films or not listing.findings:
        raise UsageError("the data names no film, or no finding", code="training-table")
    return listing


def _chosen(source: str, name: str) -> Layout:
    if name != AUTO:
        for layout in LAYOUTS:
            if layout.name == name:
                return layout
        raise UsageError(
            f"there is no layout {name!r}", code="training-layout", next_step=f"Choose from {', '.join(NAMES)}."
        )
    fitting = next((layout for layout in LAYOUTS if layout.fits(source)), None)
    if fitting is None:
        known = "; ".join(f"{layout.name}: {layout.about}" for layout in LAYOUTS)
        raise UsageError(
            "the data has no layout that is known", code="training-layout", next_step=f"Known layouts: {known}."
        )
    return fitting
