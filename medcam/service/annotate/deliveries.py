"""What of a run goes to `--send-to`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from medcam.service.annotate.instance_output import OBJECT_NAMES
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.outcomes import Annotated, Outcome
from medcam.service.sending.counts import DeliveryCounts

if TYPE_CHECKING:
    from medcam.service.sending.sender import Sender


class Deliveries:
    """Sends the objects of every annotated film; does nothing where no destination was named.

    Args:
        out: The run's output folder.
        outputs: The kinds of objects that are asked for.
        sender: What sends; None for none.
    """

    def __init__(self, out: Path, outputs: Sequence[Output], sender: Sender | None) -> None:
        self._out, self._outputs, self._sender = out, outputs, sender
        self.counts: DeliveryCounts | None = None

    def add(self, outcome: Outcome) -> None:
        """Sends what belongs to an outcome; also of films that an earlier run finished, where it was not accepted yet.

        Raises:
            MedcamError: Sending has had to stop: the record of deliveries cannot be written.
        """
        if self._sender is not None and isinstance(outcome, Annotated):
            folder = self._out / outcome.folder
            paths = [folder / name for output in self._outputs for name in OBJECT_NAMES.get(output, ())]
            self._sender.add([path for path in paths if path.is_file()])

    def finish(self) -> None:
        """Waits for the last ones.

        Raises:
            MedcamError: As `add`.
        """
        if self._sender is not None:
            self.counts = self._sender.finish()


@contextmanager
def deliveries(out: Path, options: AnnotateOptions) -> Iterator[Deliveries]:
    """The deliveries of a run; all have been tried when the block ends without an exception.

    Raises:
        UsageError: See `Outbox`.
        OutputError: The record of deliveries cannot be read or written.
    """
    if options.send_to is None:
        yield Deliveries(out, options.outputs, None)
        return
    # The network's libraries are of no use to a run that sends nothing.
    from medcam.service.sending.outbox import Outbox
    from medcam.service.sending.sender import Sender

    with Sender(Outbox(out, options.send_to, options.security)) as sender:
        sending = Deliveries(out, options.outputs, sender)
        yield sending
        sending.finish()
