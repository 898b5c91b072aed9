"""``report.pdf``: the report on paper, through WeasyPrint (``pip install 'ocpp-rehearsal[pdf]'``)."""

from typing import Any, NoReturn


class NoPdf(Exception):
    """No PDF can be made here, and what to install, in one line."""


def pdf(html: str) -> bytes:
    """A page of ``reports.certification`` as PDF. Raises ``NoPdf``."""
    try:
        from weasyprint import HTML  # type: ignore[import-untyped,unused-ignore]  # not there without the extra
    except (ImportError, OSError) as error:  # OSError: Pango, which it draws text with, is no Python package
        raise NoPdf(f"a PDF needs WeasyPrint and Pango: pip install 'ocpp-rehearsal[pdf]' ({error})") from None
    made: bytes | None = HTML(string=html, url_fetcher=_refuse).write_pdf()
    assert made is not None
    return made


def _refuse(url: str, *_: Any, **__: Any) -> NoReturn:
    raise ValueError(f"a report is whole: nothing is fetched from {url}")
