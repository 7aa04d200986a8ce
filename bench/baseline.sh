#!/usr/bin/env bash
# How teams release components today: the tag names the image, and sed writes it into the component definitions.
#
#   REPOSITORY=registry/team/image BASE=registry/base@sha256:… DISTRIBUTION=name bench/baseline.sh
#
# Runs in a checkout at a tag. Credentials: docker's own, TWINE_USERNAME and TWINE_PASSWORD, and those in INDEX_URL.
set -euo pipefail

step() { echo "step: $1"; echo "step: $1" >&2; }

version=$(git describe --tags --exact-match)
version=${version#v}
image=$REPOSITORY:$version
# sed makes the checkout dirty, and setuptools-scm would compute another version from that.
export SETUPTOOLS_SCM_PRETEND_VERSION=$version

step "docker build"
docker build --network host --build-arg "BASE=$BASE" --build-arg "VERSION=$version" --tag "$image" .

step "docker push"
docker push "$image"

step "pin"
sed -i "s|^\( *image: \).*|\1$image|" src/*/yaml/*.yaml

step "python -m build"
rm -rf dist
python -m build

step "twine upload"
twine upload --non-interactive --disable-progress-bar dist/*

step "verify"
docker pull "$image"
fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT
PIP_INDEX_URL=$INDEX_URL pip download --no-cache-dir --no-deps --dest "$fetched" "$DISTRIBUTION==$version"
python -m zipfile -e "$fetched"/*.whl "$fetched/content"
grep --recursive --quiet "image: $image\$" "$fetched/content"
