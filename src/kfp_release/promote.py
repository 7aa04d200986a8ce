"""Copies the images of a release to another registry: by digest, streamed and verified, only what is missing there.

Looks at everything before it changes anything: what the target has, and whether the source has the rest. What is there
unchanged is left alone, another image under the version's tag is refused. The tag comes last, image by image.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from kfp_release.beside import look_beside
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import Problem, ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.manifest import Descriptor, Manifest
from kfp_release.progress import Progress
from kfp_release.promote_referrers import PendingReferrers, look_at_referrers
from kfp_release.promotion import Deed, Promoted, PromotedImage, Promotion
from kfp_release.repository_state import RepositoryState
from kfp_release.retention import retention_warnings
from kfp_release.upload import LAYERS_AT_ONCE, DamagedBlob, Lanes, new_lanes, upload_blobs
from kfp_release.version_home import require_home
from kfp_release.workers import in_parallel

Stores = Callable[[Repository], EcrRepository]
"""Opens a repository, with the credentials of its side."""
_ELSEWHERE: Final = (
    "have --to name the host that images of this ECR are pulled from; or have it asked where it is: in the profile of "
    "--to-profile with its own endpoint_url, and without AWS_ENDPOINT_URL_ECR"
)


@dataclass(frozen=True, slots=True)
class Promoter:
    """What all images have in common: both sides, and what may be done at the target.

    `create` makes a repository that is missing; `mutable` names the images whose tags may be moved there, None where
    nothing could name any.
    """

    sources: Stores
    targets: Stores
    progress: Progress
    create: bool = False
    mutable: Collection[str] | None = ()

    def promote(self, promotions: Sequence[Promotion], *, dry_run: bool = False) -> Promoted:
        """Copy what the targets lack, or only tell it; what was cut off is completed by doing it again.

        Raise `ReleaseError`, before anything is changed where it can be seen before.
        """
        pending = self._look(promotions)
        warnings = [warning for one in pending for warning in (*one.warnings, *one.referrers.warnings)]
        for warning in warnings:
            self.progress.note(str(warning))
        if dry_run:
            planned = [replace(one.left(Deed.PLANNED), referrers=one.referrers.planned()) for one in pending]
            return Promoted(planned, warnings)
        for one in pending:
            if one.is_new:
                self.progress.step(f"create {one.target.repository}")
                self._require_home(one.promotion, one.target.create())
        sent = self._send([one for one in pending if one.missing])
        return Promoted([self._commit(one, sent.get(one.promotion, 0)) for one in pending], warnings)

    def _look(self, promotions: Sequence[Promotion]) -> list[_Pending]:
        self.progress.step("look at both registries")
        return list(look_beside({one.name: partial(self._look_at, one) for one in promotions}).values())

    def _look_at(self, promotion: Promotion) -> _Pending:
        target, ref = self.targets(promotion.target.repository), promotion.target
        state = self._state(promotion, target)
        found = target.find(ref.tag) if state else None
        if found is not None and found.digest != ref.digest:
            raise ReleaseError(
                f"{ref.repository}:{ref.tag} is there already as {found.digest}, and the release has {ref.digest}",
                remedy="a tag never moves here, and nothing was copied: look who pushed it, remove it if it is wrong",
            )
        manifest = found or self._manifest(promotion)
        blobs = {blob.digest: blob for blob in (manifest.config, *manifest.layers)}
        lacking = set(blobs) if state is None else target.missing(blobs)
        missing = tuple(blob for digest, blob in blobs.items() if digest in lacking)
        warnings = () if state is None else tuple(retention_warnings(target, [(ref.tag,)]))
        if missing:
            self._require_source(promotion, missing)
        is_there = found is not None and not missing
        referrers = look_at_referrers(
            partial(self._source, promotion), target if state else None, promotion, is_there=is_there
        )
        return _Pending(
            promotion, manifest, target, len(blobs), missing, found is not None, state is None, warnings, referrers
        )

    def _state(self, promotion: Promotion, target: EcrRepository) -> RepositoryState | None:
        """That of the target's repository, which will do; None where it is to be made."""
        _require_ecr(target, "--to-profile")
        state = target.describe()
        if state is not None:
            self._require_home(promotion, state)
        elif not self.create:
            raise ReleaseError(
                f"ECR has no repository {target.repository}",
                remedy="have it created, with immutable tags: --create-repository",
            )
        elif not target.is_at_aws:
            # Another ECR than the host's could be asked, and a repository be made there.
            self._require_home(
                promotion, RepositoryState(f"{target.login().host}/{target.repository.name}", "IMMUTABLE")
            )
        return state

    def _require_home(self, promotion: Promotion, state: RepositoryState) -> None:
        mutable = None if self.mutable is None else promotion.name in self.mutable
        require_home(promotion.target.repository, state, promotion.target.tag, mutable=mutable, elsewhere=_ELSEWHERE)

    def _source(self, promotion: Promotion) -> EcrRepository:
        source = self.sources(promotion.source)
        _require_ecr(source, "--from-profile")
        return source

    def _manifest(self, promotion: Promotion) -> Manifest:
        source = self._source(promotion)
        with _of_source(promotion):
            found = source.find(promotion.target.digest)
        if found is None:
            raise _absent(promotion, f"ECR has no image of this digest in {promotion.source}")
        return found

    def _require_source(self, promotion: Promotion, missing: Sequence[Descriptor]) -> None:
        """Raise `ReleaseError` unless the source has, and hands out, what the target lacks."""
        source = self._source(promotion)
        with _of_source(promotion):
            if lacking := source.missing(blob.digest for blob in missing):
                raise _absent(promotion, f"its source lacks {len(lacking)} of its layers, {min(lacking)} for one")
            source.require_blob(min(missing, key=lambda blob: blob.size))

    def _send(self, images: Sequence[_Pending]) -> dict[Promotion, int]:
        """The bytes sent, by image. Several images go beside each other, their layers as few at a time as of one."""
        if images:
            self.progress.step(
                "copy " + ", ".join(f"{one.promotion.name} to {one.target.repository}" for one in images)
            )
        sizes = in_parallel(partial(self._copy, new_lanes()), images, workers=LAYERS_AT_ONCE)
        return {one.promotion: size for one, size in zip(images, sizes, strict=True)}

    def _copy(self, lanes: Lanes, pending: _Pending) -> int:
        source = self.sources(pending.promotion.source)
        blobs = [source.blob(descriptor) for descriptor in pending.missing]
        try:
            return upload_blobs(pending.target, blobs, progress=self.progress, lanes=lanes)
        except DamagedBlob as error:
            raise ReleaseError(
                f"{source.repository} hands out other bytes than it should: {error.args[0]}",
                remedy="run this again; if it stays so, the image is damaged there: --from names another registry that "
                "has it",
            ) from error

    def _commit(self, pending: _Pending, sent: int) -> PromotedImage:
        ref, manifest = pending.promotion.target, pending.manifest
        left = pending.left(Deed.COPIED, sent)
        self.progress.step(f"{'read back' if left.deed is Deed.LEFT else 'commit'} {ref.repository}:{ref.tag}")
        pending.target.put(manifest, ref.tag)
        for blob in (manifest.config, *manifest.layers[-1:]):
            pending.target.require_blob(blob)
        return replace(left, referrers=pending.referrers.copy(pending.target, pending.promotion.name, self.progress))


@dataclass(frozen=True, slots=True)
class _Pending:
    promotion: Promotion
    manifest: Manifest
    target: EcrRepository
    blobs: int
    missing: tuple[Descriptor, ...]
    """What the target lacks of it, although it may have its manifest."""
    is_there: bool
    is_new: bool
    """Whether its repository is to be made."""
    warnings: tuple[Problem, ...]
    referrers: PendingReferrers

    def left(self, deed: Deed, sent: int = 0) -> PromotedImage:
        """What has come of it, if there was something to do."""
        return PromotedImage(
            self.promotion,
            Deed.LEFT if self.is_there and not self.missing else deed,
            self.blobs,
            len(self.missing),
            sum(blob.size for blob in self.missing),
            sent,
            self.is_new,
        )


def _require_ecr(store: EcrRepository, profile: str) -> None:
    """Raise `ReleaseError` where AWS would be asked for a registry that is none of its own."""
    if store.is_at_aws and not store.repository.is_at_ecr:
        raise ReleaseError(
            f"{store.repository.host} is not the host of an ECR: it names no account and no region",
            remedy="write it as <account>.dkr.ecr.<region>.amazonaws.com; what else speaks as ECR does is named by "
            f"AWS_ENDPOINT_URL_ECR, or by endpoint_url in the profile of {profile}",
        )


@contextmanager
def _of_source(promotion: Promotion) -> Iterator[None]:
    """What is not there is told of the source."""
    try:
        yield
    except EcrError as error:
        if not error.is_absence:
            raise
        raise _absent(promotion, str(error.args[0])) from error


def _absent(promotion: Promotion, why: str) -> ReleaseError:
    return ReleaseError(
        f"{promotion.source}@{promotion.target.digest} cannot be copied: {why}",
        remedy=f"kfp-release verify {promotion.target.tag} tells what is left of the release; --from names another "
        "registry that has its images",
    )
