"""What a reader of the catalog copies to install it: it looks on the components' index, and on no other."""

from __future__ import annotations

from kfp_release.index_settings import CodeArtifactRepository, DevpiIndex, IndexSettings, IndexUrls


def pip_of(index: IndexSettings | None) -> str:
    """What installs a project from `index`, up to the project; of CodeArtifact it begins with the line that logs in.

    pip reads a bucket at a URL that is not configured: the line has a word in its place, which pip refuses. Without it
    pip would look on the public index, where anybody may have a project of that name.
    """
    match index:
        case IndexUrls(simple_url=url):
            return f"pip install --index-url {url}"
        case DevpiIndex(url=url):
            return f"pip install --index-url {url}/+simple/"
        case CodeArtifactRepository() as at:
            where = f"--domain {at.domain} --domain-owner {at.account} --repository {at.name} --region {at.region}"
            return f"aws codeartifact login --tool pip {where}\npip install"
    return "pip install --index-url URL-OF-YOUR-INDEX"
