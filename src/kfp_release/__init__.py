"""One git tag, one image digest, one wheel that pins it.

The build backend (`kfp_release.backend`) needs the bare distribution; the commands need its extra ``cli``,
the local ECR and index its extra ``sandbox``.
"""
