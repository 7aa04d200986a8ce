"""Clients of AWS: credentials from the usual chain, time-outs, and calls asked again within the user's patience."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from botocore import exceptions as aws

from kfp_release.aws_credentials import require_credentials
from kfp_release.aws_retry import AwsRetry
from kfp_release.ecr_errors import LONGEST, SERVICES, EcrError, endpoint_variable, unanswered, without_user
from kfp_release.errors import ReleaseError
from kfp_release.patience import Patience
from kfp_release.retry import Retry
from kfp_release.terminal_text import one_line
from kfp_release.url import shown_url

_INVALID: Final = "Invalid endpoint: "
"""What botocore's own words begin with, before the whole URL."""


def aws_client(
    service: str, *, region: str | None, retry: Retry, where: str, profile: str | None = None, **config: Any
) -> Any:
    """A boto3 client of `service` in `region` (the environment's, where it is None), which asks as `retry`.

    `where` names what it is asked about; `config` is more of botocore's `Config`. A `profile` of AWS's configuration
    goes before the environment's credentials, and its `endpoint_url` where no variable names one. AWS_MAX_ATTEMPTS and
    AWS_RETRY_MODE, or the profile's, mean what they mean everywhere, and go before. Raise `ReleaseError` where there
    can be none: no credentials, no region, no such profile, an endpoint that is no URL.
    """
    import boto3  # noqa: PLC0415 - it takes a second, and most of the tool never needs it
    from botocore.config import Config  # noqa: PLC0415 - likewise

    try:
        session = boto3.session.Session(botocore_session=_core(retry.patience, profile), region_name=region)
        require_credentials(session, where=where, service=service)
        open_client: Any = session.client  # of any service: stubs know those that are installed
        client = open_client(service, config=Config(user_agent_extra="kfp-release", **config))
        _require_endpoint(client.meta.endpoint_url)
    except aws.BotoCoreError as error:
        raise unanswered(error, where=where, service=service) from error
    except ValueError as error:
        raise ReleaseError(
            f"cannot open {SERVICES[service]} for {where}: {_told(error)}",
            remedy=f"set {endpoint_variable(service)} to an http or https URL, or unset it",
        ) from None  # a traceback would repeat it
    # Those that end are renewed on the way: a source that fails then is no fault of the endpoint either.
    client.meta.events.register_first(
        f"before-call.{service}.*", lambda **_: require_credentials(session, where=where, service=service)
    )
    AwsRetry(retry, service).watch(client)
    return client


def _core(patience: Patience, profile: str | None) -> Any:
    """Botocore's session. What it asks for credentials (STS, SSO) has the time-outs too."""
    import botocore.session  # noqa: PLC0415 - as boto3
    from botocore.config import Config  # noqa: PLC0415 - likewise

    core = botocore.session.Session(profile=profile)
    options: dict[str, Any] = {}
    try:
        if core.get_config_variable("max_attempts") is None:
            options["retries"] = {"total_max_attempts": patience.attempts}
    except ValueError as error:
        raise EcrError(
            f"AWS_MAX_ATTEMPTS, or max_attempts of the profile, is no whole number: {one_line(str(error), LONGEST)}",
            remedy="set it to one, or unset it",
        ) from error
    core.set_default_client_config(
        Config(connect_timeout=patience.connect, read_timeout=patience.seconds, tcp_keepalive=True, **options)
    )
    return core


def _require_endpoint(url: str) -> None:
    """Raise `ValueError` for what botocore takes for an endpoint and cannot ask, or shows whole when it is asked."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError(f"{_INVALID}{url}")
    if "?" in url or "#" in url:
        raise ValueError(f"the endpoint {shown_url(url)} has a query or a fragment")


def _told(error: ValueError) -> str:
    """Its words, without what may be a secret in the endpoint."""
    words, found, url = str(error).partition(_INVALID)
    if not found:
        return without_user(words)
    return _INVALID + (shown_url(url) if "://" in url else one_line(without_user(url), LONGEST))
