"""How films are handed in over HTTP, and how that is refused."""

from __future__ import annotations

import asyncio

import pytest

BOUNDARY = "limit"


def related(*parts: bytes, kind: str = "application/dicom", end: bool = True) -> bytes:
    body = b"".join(b"--limit\r\nContent-Type: " + kind.encode() + b"\r\n\r\n" + part + b"\r\n" for part in parts)
    return body + (b"--limit--\r\n" if end else b"")


def send(
    client, body: bytes, kind: str = 'multipart/related; type="application/dicom"; boundary=limit', path="submissions"
):
    return client.post(f"/v1/{path}", content=body, headers={"Content-Type": kind})


@pytest.mark.parametrize("path", ["submissions", "studies"])
def test_instances_as_stow_sends_them(api, work, film, path):
    client = api()

    taken = send(client, related(film), path=path)

    assert taken.status_code == 202, taken.text
    assert work()
    assert len(client.get(taken.headers["location"]).json()["films"]) == 1


def test_one_instance_as_it_is(api, work, film):
    client = api()
    taken = send(client, film, "application/dicom")
    assert work()
    assert client.get(taken.headers["location"]).json()["done"] == 1


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"x", "text/plain", 415, "unsupported-content-type"),
        (b"x", "", 415, "unsupported-content-type"),
        (b"x", "multipart/related", 415, "unsupported-content-type"),
        (b"x", 'multipart/related; type="text/xml"; boundary=limit', 415, "unsupported-content-type"),
        (related(b"x", kind="text/plain"), "multipart/related; boundary=limit", 415, "unsupported-content-type"),
        (b"rubbish", "multipart/related; boundary=limit", 400, "malformed-body"),
        (related(b"x", end=False), "multipart/related; boundary=limit", 400, "malformed-body"),
        (b"", "multipart/related; boundary=limit", 400, "malformed-body"),
        (b"", "application/dicom", 422, "no-files"),
        (b"--limit--\r\n", "multipart/related; boundary=limit", 422, "no-files"),
        (b"{}", "application/json", 400, "malformed-body"),
        (b"[" * 5000, "application/json", 400, "malformed-body"),
        (b'{"source": "' + b"x" * 20_000 + b'"}', "application/json", 400, "malformed-body"),
        (
            b'--limit\r\nContent-Disposition: form-data; name="model"\r\n\r\nphantom\r\n--limit--\r\n',
            "multipart/form-data; boundary=limit",
            422,
            "unexpected-field",
        ),
    ],
)
def test_bodies_that_cannot_be_are_refused(api, opened, body, kind, status, code):
    answer = send(api(), body, kind)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["next_step"]
    assert not opened.jobs.counts()
    submissions = opened.address.films / "submissions"
    assert not submissions.exists() or not list(submissions.iterdir())


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("model=/etc", 404, "no-such-model"),
        ("model=../phantom", 404, "no-such-model"),
        ("model=phantom%2Bnone", 404, "no-such-model"),
        ("outputs=exe", 422, "unknown-output"),
        ("outputs=png", 422, "unknown-output"),
        ("method=magic", 422, "unknown-cam-method"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_the_body_is_read(api, film, query, status, code):
    answer = api().post(f"/v1/submissions?{query}", files={"files": ("a.dcm", film)})

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_is_too_large_is_refused_whether_it_says_so_or_not(api, opened):
    client = api(limits={"bytes": 100_000})
    declared = send(client, b"x" * 2_000_000, "application/dicom")
    streamed = client.post(
        "/v1/submissions", content=iter([b"x" * 500_000] * 4), headers={"Content-Type": "application/dicom"}
    )
    little = send(client, b"x" * 100_001, "application/dicom")

    assert [one.status_code for one in (declared, streamed, little)] == [413] * 3
    assert not opened.jobs.counts()


def test_too_many_files_are_refused(api):
    client = api(limits={"files": 2})

    assert send(client, related(b"a", b"b", b"c")).status_code == 413
    assert send(client, related(*[b"a"] * 40)).status_code == 413


def test_too_many_submissions_of_one_client(api, film):
    client = api(limits={"open": 1})
    assert send(client, film, "application/dicom").status_code == 202

    answer = send(client, film, "application/dicom")

    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-submissions")
    assert int(answer.headers["retry-after"]) > 0


def test_too_often(api, film):
    client = api(per_minute=1)
    assert send(client, film, "application/dicom").status_code == 202

    answer = send(client, film, "application/dicom")

    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_a_client_that_stops_sending_is_let_go(api):
    app = api(silence=0.05).app
    sent = []

    async def receive():
        if not sent_body:
            sent_body.append(True)
            return {"type": "http.request", "body": b"DI", "more_body": True}
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send_(message):
        sent.append(message)

    sent_body = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/v1/submissions", "raw_path": b"/v1/submissions", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8600"), (b"content-type", b"application/dicom")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8600),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send_))

    assert sent[0]["status"] == 408


@pytest.mark.parametrize(
    "source",
    ["http://169.254.169.254/latest", "dicomweb://169.254.169.254/studies/1.2", "/etc/passwd", "file:///etc/passwd",
     "dicomweb://pacs.example/other/studies/1.2", "dicomweb://user:pw@pacs.example/dicom/studies/1.2",
     "dicomweb://pacs.example@evil/dicom/studies/1.2", "dicomweb://pacs.example/dicom/../evil/studies/1.2",
     "dicomweb://pacs.example:8042/dicom/studies/1.2", "dicomwebs://pacs.example/dicom/studies/1.2",
     "dicomweb://pacs.example.evil/dicom/studies/1.2", "dicomweb://[fe80::1]/dicom/studies/1.2",
     "dicomweb://127.0.0.1/dicom/studies/1.2", "dicomweb://pacs.example/dicom/studies/1.2/../../x/studies/1.2"],
)  # fmt: skip
def test_nothing_is_fetched_but_from_services_that_were_named(api, opened, source):
    answer = api(services=("dicomweb://pacs.example/dicom",)).post("/v1/submissions", json={"source": source})

    assert answer.status_code in (403, 422), answer.text
    assert not opened.jobs.counts()


def test_a_reference_to_a_named_service_waits_for_its_turn(api, opened):
    client = api(services=("dicomweb://pacs.example/dicom",))

    taken = client.post("/v1/submissions", json={"source": "dicomweb://pacs.example/dicom/studies/1.2.3"})

    assert taken.status_code == 202, taken.text
    assert sum(opened.jobs.counts().values()) == 1
