"""What readers changed when they were shown what the model says: the blind answer beside the aided one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from medcam.core.review import Phase
from medcam.evaluate.agreement import share_figure
from medcam.evaluate.agreement_figure import Figure, nothing
from medcam.service.agreement.cases import Case
from medcam.service.agreement.judges import Judge, Judges


@dataclass(frozen=True, slots=True)
class Change:
    """One reader, before and after they were shown the model's call.

    Args:
        reader: Who.
        kept_with: Answers that were the model's before, and stayed.
        left: Answers that were the model's before, and turned away from it.
        kept_against: Answers that were not the model's before, and stayed.
        joined: Answers that were not the model's before, and turned to it.
        settled: Uncertain before, present or absent after.
        unsettled: Present or absent before, uncertain after.
        toward: Share of the answers that were not the model's before which turned to it.
        away: Share of the answers that were the model's before which turned away from it.
    """

    reader: Judge
    kept_with: int
    left: int
    kept_against: int
    joined: int
    settled: int
    unsettled: int
    toward: Figure
    away: Figure

    @property
    def cases(self) -> int:
        """How many answers were given twice, with a call of the model between."""
        return self.kept_with + self.left + self.kept_against + self.joined + self.settled + self.unsettled


def changes(cases: Iterable[Case], judges: Judges) -> list[Change]:
    """What each reader changed, of cases of both phases that may be set beside the model.

    Only where the blind answer is the older one and the model made a call.
    """
    own = judges.beside_model(cases)
    before = {(case.reader, case.film, case.finding): case for case in own if case.phase is Phase.BLIND}
    by_reader: dict[int, list[tuple[Case, Case]]] = {}
    for after in own:
        first = before.get((after.reader, after.film, after.finding))
        if after.phase is Phase.BLIND or after.called is None or first is None:
            continue
        if first.created <= after.created:
            by_reader.setdefault(after.reader, []).append((first, after))
    rows = [_change(judges.known[reader], pairs) for reader, pairs in by_reader.items()]
    return sorted((row for row in rows if row.cases), key=lambda row: (not row.reader.mine, row.reader))


def _change(reader: Judge, pairs: list[tuple[Case, Case]]) -> Change:
    decided = [(one, other) for one, other in pairs if one.present is not None and other.present is not None]
    # The call that was shown is the one that counts, before and after.
    with_model = [(one, other) for one, other in decided if one.present == other.called]
    against = [(one, other) for one, other in decided if one.present != other.called]
    left = sum(other.present != other.called for _, other in with_model)
    joined = sum(other.present == other.called for _, other in against)
    return Change(
        reader=reader,
        kept_with=len(with_model) - left,
        left=left,
        kept_against=len(against) - joined,
        joined=joined,
        settled=sum(one.present is None and other.present is not None for one, other in pairs),
        unsettled=sum(one.present is not None and other.present is None for one, other in pairs),
        toward=_share_changed(against),
        away=_share_changed(with_model),
    )


def _share_changed(pairs: list[tuple[Case, Case]]) -> Figure:
    if not pairs:
        return nothing()
    return share_figure([one.present != other.present for one, other in pairs], [one.patient for one, _ in pairs])
