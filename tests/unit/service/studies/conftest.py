from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from medcam.service.annotate.manifest import Manifest
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.audit.key import KEY_VARIABLE, key_path
from medcam.service.studies.opened import OpenedStore, open_studies


@pytest.fixture(scope="module", autouse=True)
def audit_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A key of this module alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, str(tmp_path_factory.mktemp("keys") / "audit.pem"))
        yield key_path()


@pytest.fixture(scope="module")
def run(tiny_model_folder: Path) -> Callable[..., Manifest]:
    """Annotates into a store, without pictures."""

    def annotated(source: Path, out: Path, store: str | None, **changes: object) -> Manifest:
        given = {"model": str(tiny_model_folder), "outputs": (Output.JSON,), "workers": 2, "store": store, **changes}
        return annotate([source], out, AnnotateOptions(**given))

    return annotated


@pytest.fixture(scope="module")
def filled(
    run: Callable[..., Manifest], phantom_dicom: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenedStore]:
    """A store with the three phantoms, explained by the tiny model."""
    folder = tmp_path_factory.mktemp("filled")
    run(phantom_dicom, folder / "out", str(folder / "store"))
    store = open_studies(folder / "store")
    yield store
    store.close()
