"""What pypi_simple makes of a page of the simple API. Slow to import: Beautiful Soup and pydantic come with it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from bs4 import ParserRejectedMarkup
from pypi_simple import DistributionPackage, Link, ProjectPage, RepositoryPage, UnsupportedRepoVersionError


def packages_of_json(page: Mapping[str, Any], url: str) -> list[DistributionPackage]:
    """The files of a project's page. Raise `ValueError` and others for a page that is damaged."""
    try:
        return ProjectPage.from_json_data(page, url).packages
    except UnsupportedRepoVersionError as error:
        raise ValueError(str(error)) from error


def links_of_html(text: str, url: str) -> list[Link]:
    """The links of a page. Raise `ValueError` and others for one that is damaged."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of Beautiful Soup's, about pages that look like something else
            return RepositoryPage.from_html(text, url).links
    except (UnsupportedRepoVersionError, ParserRejectedMarkup) as error:
        raise ValueError(str(error)) from error


def package_of_link(link: Link, project: str) -> DistributionPackage:
    """The file that a link of a project's page leads to."""
    return DistributionPackage.from_link(link, project)
