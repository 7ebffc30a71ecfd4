"""Initialisation methods: each name is a preset of independent choices, each feature method has a twin.

A method says where the filters of a layer come from: `features` (the matrix whose Gaussian they are drawn from),
`scale` (what its trace becomes) and `basis` (what is done to its directions). The names of the design are presets
of these choices. Nothing here draws anything: the engine does, reports only read the names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from agopconsole.errors import RequestError

Features = Literal["isotropic", "nfm", "agop"]
Scale = Literal["unit", "kaiming", "poster"]
Basis = Literal["source"]
Recipe = Literal[
    "features",
    "normal",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
    "kaiming_uniform",
    "orthogonal",
    "pretrained",
    "default",
]

FEATURES: tuple[str, ...] = get_args(Features)
SCALES: tuple[str, ...] = get_args(Scale)
BASES: tuple[str, ...] = get_args(Basis)


@dataclass(frozen=True, slots=True)
class Method:
    """How the layers under test are started.

    Attributes:
        recipe: `features` for a draw from N(0, S), with S given by the other choices; else a fixed recipe, to which
            the other choices do not apply.
        features: the matrix S: the identity, the NFM or the AGOP of a source network.
        scale: `unit` makes trace(S) = 1, `kaiming` makes it gain^2 = 2 (He et al. 2015), `poster` repeats the
            source study's code.
        basis: `source` takes S as it is.
    """

    recipe: Recipe = "features"
    features: Features = "isotropic"
    scale: Scale = "kaiming"
    basis: Basis = "source"

    @property
    def needs_features(self) -> bool:
        """Whether feature matrices of a source network are asked for."""
        return self.recipe == "features" and self.features != "isotropic"

    @property
    def needs_source(self) -> bool:
        """Whether a source network is asked for at all."""
        return self.needs_features or self.recipe == "pretrained"

    def twin(self) -> Method | None:
        """The same scale and basis with isotropic features, or None where features play no part.

        Only what a feature method gains over its twin is due to the features.
        """
        if not self.needs_features or self.scale == "poster":
            return None
        return replace(self, features="isotropic")


METHODS: dict[str, Method] = {
    "default": Method("default"),  # what the model's constructor gives
    "normal": Method("normal"),  # N(0, 0.05^2)
    "uniform": Method("uniform"),  # U(-0.025, 0.025)
    "xavier_normal": Method("xavier_normal"),  # Glorot & Bengio 2010, normal, gain for ReLU
    "xavier_uniform": Method("xavier_uniform"),  # Glorot & Bengio 2010, uniform, gain for ReLU
    "kaiming_normal": Method(scale="kaiming"),  # He et al. 2015, normal, fan_in; the twin of kaiming_nfm
    "kaiming_uniform": Method("kaiming_uniform"),  # He et al. 2015, uniform, fan_in
    "orthogonal": Method("orthogonal"),  # Saxe et al. 2014, gain for ReLU
    "lecun_normal": Method(scale="unit"),  # N(0, 1/fan_in), LeCun et al. 1998; the twin of nfm and agop
    "nfm": Method(features="nfm", scale="unit"),
    "agop": Method(features="agop", scale="unit"),
    "kaiming_nfm": Method(features="nfm", scale="kaiming"),
    "kaiming_agop": Method(features="agop", scale="kaiming"),
    "pretrained": Method("pretrained"),  # the source's own weights: the ceiling of soft transfer
}

COMPOSABLE: tuple[str, ...] = tuple(name for name, m in METHODS.items() if m.recipe == "features")


def compose(
    init: str, features: Features | None = None, scale: Scale | None = None, basis: Basis | None = None
) -> Method:
    """The preset `init` with some of its choices replaced.

    Raises:
        RequestError: if the preset is a fixed recipe, or the choices do not go together.
    """
    method = METHODS[init]
    if not (features or scale or basis):
        return method
    if method.recipe != "features":
        raise RequestError(
            f"init '{init}' is a fixed recipe; features, scale and basis go with {', '.join(COMPOSABLE)}"
        )
    method = replace(
        method,
        features=features or method.features,
        scale=scale or method.scale,
        basis=basis or method.basis,
    )
    if method.scale == "poster" and not method.needs_features:
        raise RequestError("scale 'poster' repeats the source study's nfm and agop; it has no isotropic form")
    return method


def preset_name(method: Method) -> str | None:
    """The preset that makes the same choices as `method`, or None."""
    return next((name for name, preset in METHODS.items() if preset == method), None)
