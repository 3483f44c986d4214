"""docs/reference/cli.md describes the command line as it is, and commands shown anywhere are commands that exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from medcam.cli.main import app

from .pages import PAGES, README, ROOT, fences, name, read, section

PAGE = ROOT / "docs" / "reference" / "cli.md"
OPTION = re.compile(r"--[a-z][a-z0-9-]*")


def leaves(command: Any, path: tuple[str, ...] = ("medcam",)) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its full name, in the order of --help."""
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    if len(path) > 1 and command.invoke_without_command:  # a group that does something by itself too
        yield " ".join(path), command
    for word in command.list_commands(None):
        if not command.commands[word].hidden:
            yield from leaves(command.commands[word], (*path, word))


ROOT_COMMAND = typer.main.get_command(app)
COMMANDS = dict(leaves(ROOT_COMMAND))


def options(command: Any) -> set[str]:
    flags = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    return {flag for flag in flags if flag.startswith("--")} - {"--help"}


def arguments(command: Any) -> set[str]:
    return {str(p.metavar or p.name).upper() for p in command.params if p.param_type_name == "argument"}


def shown_commands(page) -> list[list[str]]:
    """Calls of medcam in the sh and console blocks of a page, as words."""
    calls = []
    for fence in fences(read(page)):
        if fence.language not in ("sh", "console"):
            continue
        for line in fence.text.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|;|\|", line.removeprefix("$ ")):
                words = shlex.split(part, comments=True) if fence.language == "sh" or line.startswith("$ ") else []
                if words and words[0] == "medcam":
                    calls.append(words)
    return calls


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described_with_all_its_options(command):
    text = section(read(PAGE), command)

    assert {option for option in options(COMMANDS[command]) if f"`{option}" not in text} == set()
    assert {argument for argument in arguments(COMMANDS[command]) if argument not in text} == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_option_is_described_that_does_not_exist(command):
    described = set(OPTION.findall(" ".join(re.findall(r"`([^`]+)`", section(read(PAGE), command)))))
    elsewhere = set().union(*(options(other) for other in COMMANDS.values())) | {"--help"}

    assert described <= elsewhere
    first_cells = re.findall(r"^\| `([^|]+)` \|", section(read(PAGE), command), re.MULTILINE)
    assert {flag for cell in first_cells for flag in OPTION.findall(cell)} == options(COMMANDS[command])


def test_the_page_describes_no_other_command_and_keeps_the_order():
    described = [line[3:] for line in read(PAGE).splitlines() if line.startswith("## medcam ")]

    assert described == list(COMMANDS)


def test_every_command_has_help_of_its_own():
    assert not [command for command, definition in COMMANDS.items() if not (definition.help or "").strip()]


@pytest.mark.parametrize("page", [page for page in PAGES if shown_commands(page)], ids=name)
def test_commands_that_are_shown_exist(page):
    for words in shown_commands(page):
        command = ROOT_COMMAND
        rest = words[1:]
        while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
            assert rest[0] in command.commands, " ".join(words)
            command, rest = command.commands[rest[0]], rest[1:]
        flags = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert flags <= options(command) | {"--help", "--version"}, " ".join(words)


def test_the_readme_shows_the_main_commands():
    shown = {words[1] for words in shown_commands(README)}

    assert {"demo", "annotate", "review", "phantom", "train"} <= shown
