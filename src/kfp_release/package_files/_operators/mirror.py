"""The operators of an installation with its own images on another registry. What they are made of imports kfp."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .catalog import Catalog
from .image_name import BadRegistry, ImageName, Registry, path_of
from .owned import owned_by

if TYPE_CHECKING:
    from .yaml_operator import YamlOperator


class Mirror:
    """Operators by their names, each made when it is asked for, as those of the module are."""

    def __init__(
        self,
        registry: str,
        catalog: Catalog,
        *,
        load: Callable[..., Mirror],
        unknown: Callable[[str], str],
        warn: Callable[[], None],
    ) -> None:
        """Of the module: `load` makes another such, `unknown` is what is said of a name that is none, `warn` warns.

        Raise `BadRegistry` where `registry` is none, or too long for a repository of the package.
        """
        if not isinstance(registry, str):
            raise BadRegistry(f"registry is {registry!r}, and must be a text: HOST or HOST/PREFIX")
        self._registry = Registry.parse(registry)
        self._catalog = catalog
        self._load, self._unknown, self._warn = load, unknown, warn
        for repository in owned_by(catalog, ()).repositories:
            self._registry.repository(path_of(repository))

    def __getattr__(self, name: str) -> YamlOperator:
        if name.startswith("__"):  # Python's own questions
            raise AttributeError(f"{self!r} has no attribute {name!r}")
        if name not in self._catalog.files:
            raise AttributeError(self._unknown(name))
        self._warn()
        from .yaml_operator import YamlOperator  # noqa: PLC0415 - imports kfp

        made = YamlOperator.from_text(name, rehomed_component(self._catalog, name, self._registry))
        self.__dict__[name] = made
        return made

    def __dir__(self) -> list[str]:
        return list(self._catalog.files)

    def __reduce__(self) -> tuple[Any, ...]:
        return functools.partial(self._load, registry=str(self._registry)), ()

    def __repr__(self) -> str:
        return f"<the operators of {self._catalog.distribution} on {self._registry}>"


def rehomed_component(catalog: Catalog, operator: str, registry: Registry) -> str:
    """The component file of `operator`, with the package's own images on `registry`; nothing else in it changes.

    Raise `ValueError` where that cannot be done.
    """
    from .known import containers_of  # noqa: PLC0415 - imports YAML
    from .yaml_places import BadYaml, YamlPlaces  # noqa: PLC0415 - likewise

    try:
        places = YamlPlaces.parse(catalog.text(operator).encode())
        found = {one.image.start: one.image for one in containers_of(operator, places) if one.image is not None}
        names = {image: ImageName.parse(image) for image in found.values()}
        own = owned_by(catalog, names).repositories
        there = {
            text: image.at(registry.repository(image.path)) for text, image in names.items() if image.repository in own
        }
        return places.with_texts([(image, there[image]) for image in found.values() if image in there])
    except BadYaml as error:
        raise ValueError(f"the definition of {operator} {error}") from error
