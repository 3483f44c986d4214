"""What stands on a page that a test has run."""

from __future__ import annotations


def html_of(page):
    return "\n".join(element.value for element in page.html)


def words_of(page):
    kinds = (page.error, page.warning, page.info, page.caption, page.subheader, page.markdown)
    return "\n".join(element.value for kind in kinds for element in kind)


def button(page, words):
    [found] = [one for one in page.button if one.label == words]
    return found
