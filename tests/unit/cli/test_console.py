"""What all commands share."""

from __future__ import annotations

import pytest

from medcam.cli import console


def test_elsewhere_than_on_a_terminal_progress_is_a_few_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([0.0, 1.0, 6.0, 7.0, 8.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(seconds))
    with console.progress("annotate") as step:
        for done in range(1, 5):
            step(done, 4, "1 quarantined" if done > 2 else "")
    said = capsys.readouterr()
    assert said.err == "annotate: 2 of 4\nannotate: 4 of 4, 1 quarantined\n"
    assert said.out == ""


def test_on_a_terminal_progress_is_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with console.progress("annotate") as step:
        step(1, 2, "[half]")
        step(2, 2, "[half]")
    said = capsys.readouterr()
    assert "2/2" in said.err
    assert "[half]" in said.err
    assert "━" in said.err
    assert said.out == ""


def test_results_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("[bold] " + "x" * 300)
    assert capsys.readouterr().out == "[bold] " + "x" * 300 + "\n"


def test_commands_to_copy_are_quoted() -> None:
    assert console.command_line("medcam", "review", "--store", "my 'results'") == (
        "medcam review --store 'my '\"'\"'results'\"'\"''"
    )
