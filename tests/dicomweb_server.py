"""A DICOMweb service on this computer that has a few films, and misbehaves as told."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pydicom

PATH = "/pacs"


class DicomwebServer(ThreadingHTTPServer):
    """Finds and gives films of one study, in one series.

    `redirects` maps a path to where its requests are sent instead; `asked` lists the paths that were asked for.
    """

    def __init__(self, *films: bytes, elsewhere: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.films = {str(pydicom.dcmread(io.BytesIO(film)).SOPInstanceUID): film for film in films}
        first = pydicom.dcmread(io.BytesIO(films[0])) if films else None
        self.study, self.series = (first.StudyInstanceUID, first.SeriesInstanceUID) if first else ("1.2", "1.2.3")
        self.elsewhere = elsewhere
        self.redirects: dict[str, str] = {}
        self.asked: list[str] = []

    @property
    def service(self) -> str:
        """As --service names it."""
        return f"dicomweb://127.0.0.1:{self.server_port}{PATH}"

    def items(self, path: str) -> list[dict] | None:
        """The answer to a search; None where the path is none."""
        series = f"{PATH}/studies/{self.study}/series"
        if path == series:
            return [self._item("0020000E", self.series, {"00080060": {"vr": "CS", "Value": ["DX"]}})]
        if path == f"{series}/{self.series}/instances":
            return [self._item("00080018", uid, {}) for uid in self.films]
        return None

    def film(self, path: str) -> bytes | None:
        """The film at a path; None where there is none."""
        before, _, uid = path.rpartition("/")
        at = f"{PATH}/studies/{self.study}/series/{self.series}/instances"
        return self.films.get(uid) if before == at else None

    def _item(self, tag: str, uid: str, more: dict) -> dict:
        retrieve = {"00081190": {"vr": "UR", "Value": [self.elsewhere]}} if self.elsewhere else {}
        return {tag: {"vr": "UI", "Value": [uid]}, **more, **retrieve}


class _Handler(BaseHTTPRequestHandler):
    server: DicomwebServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        target, items, film = self.server.redirects.get(path), self.server.items(path), self.server.film(path)
        if target:
            self._answer(302, "text/plain", b"", {"Location": target})
        elif items is not None:
            self._answer(200, "application/dicom+json", json.dumps(items if "offset=0" in self.path else []).encode())
        elif film is not None:
            self._answer(200, "application/dicom", film)
        else:
            self._answer(404, "text/plain", b"")

    def _answer(self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving_films(*films: bytes, elsewhere: str = "") -> Iterator[DicomwebServer]:
    """Serves films until the block is left."""
    with DicomwebServer(*films, elsewhere=elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
