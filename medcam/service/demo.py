"""The demo: annotate films whose truth is known, and set what was found beside what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from medcam.cam.regions import peak
from medcam.core.errors import InputError
from medcam.core.explanation import Explanation
from medcam.core.finding import Finding, Point
from medcam.service.annotate.manifest import Manifest
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.run import annotate
from medcam.service.annotate.tally import Progress
from medcam.service.explanations.explanation_json import FILE_NAME, read_explanation
from medcam.service.phantoms.sample_data import sample_films, sample_folder
from medcam.service.phantoms.truth import FilmTruth, TrueFinding, read_truth


@dataclass(frozen=True, slots=True)
class DemoRow:
    """One finding of one film, found or there or both.

    Args:
        film: Its file name.
        finding: Its name.
        probability: By the model.
        present: Whether the model says that it is there; None when withheld.
        true: Whether it is.
        peak_inside: Whether the map's peak lies in the true mask (its box, where no mask is kept); None where the
            finding is not there.
        iou: Intersection over union of the strongest region's box and the true box; None where either is missing.
        difficulty: "subtle", "moderate", "plain", or "" where the finding is not there.
    """

    film: str
    finding: str
    probability: float
    present: bool | None
    true: bool
    peak_inside: bool | None = None
    iou: float | None = None
    difficulty: str = ""


@dataclass(frozen=True, eq=False)
class Demo:
    """What the demo shows.

    Args:
        manifest: Of the run.
        rows: Findings found or there, film by film.
    """

    manifest: Manifest
    rows: tuple[DemoRow, ...]


def run_demo(
    out: Path, options: AnnotateOptions | None = None, progress: Callable[[Progress], None] = lambda _: None
) -> Demo:
    """Annotates the sample films into a folder and compares with their truth.

    Args:
        out: As for `annotate`; holds the store for the review pages too.
        options: As for `annotate`; None for its defaults and the store.
        progress: As for `annotate`.

    Raises:
        MedcamError: As `annotate`; the sample data are missing ("no-sample-data") or their truth is broken.
    """
    truths = read_truth(sample_folder())
    manifest = annotate(sample_films(), out, options or AnnotateOptions(store=str(out)), progress)
    return Demo(manifest, tuple(compare(out, manifest, truths)))


def compare(out: Path, manifest: Manifest, truths: Mapping[str, FilmTruth]) -> Iterator[DemoRow]:
    """Rows of all annotated films whose truth is known.

    Args:
        out: The run's output folder.
        manifest: The run.
        truths: Truth by SOP Instance UID.
    """
    for item in sorted(manifest.annotated, key=lambda item: item.source):
        explanation = read_explanation(out / item.folder / FILE_NAME)
        truth = truths.get(explanation.source.identity.sop_instance_uid)
        if truth is not None:
            yield from compare_film(item.source, explanation, truth.findings)


def compare_film(film: str, explanation: Explanation, there: Iterable[TrueFinding]) -> Iterator[DemoRow]:
    """Rows of one film: every finding that the model calls present or that is there.

    Raises:
        InputError: The truth names a finding that the model does not know (code `bad-truth`).
    """
    true = {finding.name: finding for finding in there}
    unknown = set(true) - {finding.name for finding in explanation.findings}
    if unknown:
        raise InputError(f"the model does not know {', '.join(sorted(unknown))}", code="bad-truth")
    for finding in explanation.findings:
        if finding.present or finding.name in true:
            yield _row(film, finding, true.get(finding.name))


def _row(film: str, finding: Finding, truth: TrueFinding | None) -> DemoRow:
    found = (film, finding.name, finding.probability, finding.present)
    if truth is None:
        return DemoRow(*found, true=False)
    return DemoRow(
        *found,
        true=True,
        peak_inside=_inside(peak(finding.map), truth),
        iou=finding.regions[0].box.iou(truth.box) if finding.regions else None,
        difficulty=truth.difficulty,
    )


def _inside(point: Point, truth: TrueFinding) -> bool:
    mask = truth.mask()
    if mask is None:
        return truth.box.contains(point.x, point.y)
    row, column = min(int(point.y), mask.shape[0] - 1), min(int(point.x), mask.shape[1] - 1)
    return bool(mask[row, column])
