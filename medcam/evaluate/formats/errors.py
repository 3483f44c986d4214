"""The one way in which a file of places is refused."""

from __future__ import annotations

from medcam.core.errors import InputError


class PlacesError(InputError):
    """A file that should say where findings are is missing, broken, or says something impossible."""

    default_code = "bad-places"
    default_next_step = "Compare the file with the page on localisation formats; the message says what is wrong."
