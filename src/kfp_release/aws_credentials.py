"""AWS's credentials: taken from where the environment says before AWS is asked, so that each is blamed for its own."""

from __future__ import annotations

from typing import Any

from botocore import exceptions as aws

from kfp_release.ecr_errors import LONGEST, EcrError, tellable, unanswered, words_of
from kfp_release.terminal_text import one_line

_PLAIN = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""What botocore raises of a source that is missing, gives no JSON or no object, or keys that have ended already."""
_SOURCE = (
    "mend where they come from (AWS_PROFILE and its profile in ~/.aws/config, credential_process, "
    "AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CONTAINER_*), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
_NO_TERMINAL = "take a profile without mfa_serial, or set the variables that aws sts get-session-token gives"
_PARTS = (("access key id", "access_key"), ("secret access key", "secret_key"), ("session token", "token"))


def require_credentials(session: Any, *, where: str, service: str = "ecr") -> None:
    """Take them through `session`, boto3's, which keeps them, and renews those that end.

    `where` names what they are for, of that `service`. Raise `EcrError` where there are none, or none that can be sent.
    """
    try:
        credentials = session.get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials else None
    except aws.ClientError as error:
        said = f"{error.operation_name} was refused: {words_of(error)}"
        raise _not_had(said, where, "check the role that the profile names, and who may take it") from tellable(error)
    except (aws.HTTPClientError, aws.ConnectionError) as error:
        said = f"their source does not answer: {type(error).__name__}"
        raise _not_had(said, where, "check the network and the proxy, and run this again") from error
    except aws.BotoCoreError as error:
        raise unanswered(error, where=where, service=service) from error
    except EOFError as error:
        raise _not_had("a code is asked for, and nobody can type it here", where, _NO_TERMINAL) from error
    except _PLAIN as error:
        raise _not_had(f"their source cannot be used: {one_line(str(error), LONGEST)}", where, _SOURCE) from error
    if frozen is None:
        raise unanswered(aws.NoCredentialsError(), where=where, service=service)
    for name, attribute in _PARTS:
        part = getattr(frozen, attribute) or ""
        if not isinstance(part, str) or any(not "!" <= letter <= "~" for letter in part):
            raise EcrError(
                f"the AWS {name} for {where} (source: {credentials.method}) holds a character that none has, "
                "a line end or a space perhaps",
                remedy="set it without: in a shell, $(cat FILE) drops the line end",
            )


def _not_had(said: str, where: str, remedy: str) -> EcrError:
    return EcrError(f"the AWS credentials for {where} cannot be had: {said}", remedy=remedy)
