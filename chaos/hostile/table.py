"""Every parser of the package: what it reads, how hostile cases of that are made, and how it reads them.

`tests/test_parsers.py` runs each with some cases, `chaos/parsers.py` with many: nothing but a `ReleaseError` may come
out. What stands in `LISTED` instead says why.
"""

from __future__ import annotations

from chaos.hostile import (
    parsers_of_answers,
    parsers_of_archives,
    parsers_of_components,
    parsers_of_ecr,
    parsers_of_evidence,
    parsers_of_pipelines,
    parsers_of_projects,
    parsers_of_records,
    parsers_of_sboms,
    parsers_of_sources,
    parsers_of_values,
)
from chaos.hostile.parser import Parser

PARSERS: dict[str, Parser] = {
    **parsers_of_values.PARSERS,
    **parsers_of_projects.PARSERS,
    **parsers_of_sources.PARSERS,
    **parsers_of_components.PARSERS,
    **parsers_of_archives.PARSERS,
    **parsers_of_records.PARSERS,
    **parsers_of_sboms.PARSERS,
    **parsers_of_answers.PARSERS,
    **parsers_of_ecr.PARSERS,
    **parsers_of_evidence.PARSERS,
    **parsers_of_pipelines.PARSERS,
}
LISTED = {
    "digest.Digest.of": "all bytes have a digest",
    "deflate.gzip_deflated": "all bytes can be compressed",
    "commit.is_commit": "parse_commit, whose parser is above, asks it",
    "finding.Finding.of": "says what a parser refused",
    "released_files.read_file": "asks the index; the parser 'file of a release, as the index has it' reads the answer",
    "bom_component.container": "tags, digests and keys that are parsed before",
    "bom_component.debian_component": "facts of os-release; the parser 'layers' reads them and hands them on",
    "bom_component.operating_system": "likewise",
    "sbom.distribution_serial": "all texts have a name in a namespace of UUIDs",
    "stub.needs_stub": "a pattern, for which all bytes can be searched",
    "checkout_operators.CheckoutOperators.read": "component files, whose parsers are above",
    "package_files._operators.catalog.Pins.parse": "an installation's own file, which a build wrote",
    "package_files._operators.definition.Definition.parse": "likewise",
    "package_files._operators.pipeline.read_pipeline": "opens a file; the parser 'pipeline' reads it",
    "written.is_replaceable": "all bytes begin with something",
    "written.require_free": "refuses a path that is taken; of the bytes beside it is_replaceable is asked",
    "version.delete_tag": "tags that are versions",
    "version_home.ensure_home": "asks ECR, whose answer is parsed before",
    "version_home.require_home": "a tag and a repository's state that are parsed before",
    "release_image.unpinned_findings": "labels that a config's parser took",
    "sandbox.ecr_manifest.PutManifest.parse": "the sandbox is asked by this machine's user alone",
    "sandbox.ecr_request.parse_request": "likewise",
}
"""What takes nothing from outside, or nothing that is not parsed before."""
