"""Initialisation methods: each name is a preset of independent choices, each feature method has a twin.

A method says where the filters of a layer come from: `features` (the matrix whose Gaussian they are drawn from),
`scale` (what its trace, or the scale of the layer's outputs, becomes) and `basis` (what is done to its directions).
The names of the design are presets of these choices. Nothing here draws anything: the engine does, reports only read
the names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from agopconsole.errors import RequestError

Features = Literal["isotropic", "nfm", "agop"]
Scale = Literal["unit", "kaiming", "lsuv", "poster"]
Basis = Literal["source", "rotated", "centred", "centred_rotated", "aligned"]
Recipe = Literal[
    "features",
    "normal",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
    "kaiming_uniform",
    "orthogonal",
    "delta_orthogonal",
    "mimetic",
    "pretrained",
    "default",
]

FEATURES: tuple[str, ...] = get_args(Features)
SCALES: tuple[str, ...] = get_args(Scale)
BASES: tuple[str, ...] = get_args(Basis)

CENTRED: tuple[Basis, ...] = ("centred", "centred_rotated")
"""The bases without the layer's mean input patch."""

TURNED: dict[Basis, Basis] = {"source": "rotated", "centred": "centred_rotated", "aligned": "rotated"}
"""For each basis that has directions of the source the one with the same spectrum in random directions."""


@dataclass(frozen=True, slots=True)
class Method:
    """How the layers under test are started.

    Attributes:
        recipe: `features` for a draw from N(0, S), with S given by the other choices; else a fixed recipe, to which
            no other choice applies but the scale `lsuv`, and to `default` and `mimetic` none.
        features: the matrix S: the identity, the NFM or the AGOP of a source network.
        scale: `unit` makes trace(S) = 1, `kaiming` makes it gain^2 = 2 (He et al. 2015), `lsuv` gives each layer's
            outputs on a batch mean 0 and variance 2 (Mishkin & Matas 2016), `poster` repeats the source study's code.
        basis: `source` takes S as it is; `rotated` gives it random eigenvectors; `centred` projects the layer's mean
            input patch out of it; `centred_rotated` gives what is left random eigenvectors, all at right angles to
            that patch; `aligned` turns it from the source's channels into those of the new network.
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

    @property
    def needs_images(self) -> bool:
        """Whether the layers are built one after the other on a batch of images."""
        return self.scale == "lsuv" or self.basis in (*CENTRED, "aligned")

    def twin(self) -> Method | None:
        """The same scale and basis with isotropic features, or None where features play no part.

        Only what a feature method gains over its twin is due to the features.
        """
        if not self.needs_features or self.scale == "poster":
            return None
        return _canonical(replace(self, features="isotropic"))


METHODS: dict[str, Method] = {
    "default": Method("default"),  # what the model's constructor gives
    "normal": Method("normal"),  # N(0, 0.05^2)
    "uniform": Method("uniform"),  # U(-0.025, 0.025)
    "xavier_normal": Method("xavier_normal"),  # Glorot & Bengio 2010, normal, gain for ReLU
    "xavier_uniform": Method("xavier_uniform"),  # Glorot & Bengio 2010, uniform, gain for ReLU
    "kaiming_normal": Method(scale="kaiming"),  # He et al. 2015, normal, fan_in; the twin of kaiming_nfm
    "kaiming_uniform": Method("kaiming_uniform"),  # He et al. 2015, uniform, fan_in
    "orthogonal": Method("orthogonal"),  # Saxe et al. 2014, gain for ReLU
    "lsuv": Method("orthogonal", scale="lsuv"),  # Mishkin & Matas 2016
    "delta_orthogonal": Method("delta_orthogonal"),  # Xiao et al. 2018, gain for ReLU
    "lecun_normal": Method(scale="unit"),  # N(0, 1/fan_in), LeCun et al. 1998; the twin of nfm and agop
    "nfm": Method(features="nfm", scale="unit"),
    "agop": Method(features="agop", scale="unit"),
    "kaiming_nfm": Method(features="nfm", scale="kaiming"),
    "kaiming_agop": Method(features="agop", scale="kaiming"),
    "mimetic": Method("mimetic"),  # Trockman & Kolter 2023: self-attentions alone
    "pretrained": Method("pretrained"),  # the source's own weights: the ceiling of soft transfer
}

COMPOSABLE: tuple[str, ...] = tuple(name for name, m in METHODS.items() if m.recipe == "features")


def compose(
    init: str, features: Features | None = None, scale: Scale | None = None, basis: Basis | None = None
) -> Method:
    """The preset `init` with some of its choices replaced.

    Raises:
        RequestError: if the preset is a fixed recipe that takes no such choice, or the choices do not go together.
    """
    method = METHODS[init]
    if not (features or scale or basis):
        return method
    whole = method.recipe in ("default", "mimetic")
    if method.recipe != "features" and (features or basis or scale != "lsuv" or whole):
        taken = "nothing else" if whole else "of these choices the scale lsuv alone"
        raise RequestError(
            f"init '{init}' is a fixed recipe and takes {taken}; features, scale and basis go with "
            f"{', '.join(COMPOSABLE)}"
        )
    method = replace(
        method,
        features=features or method.features,
        scale=scale or method.scale,
        basis=basis or method.basis,
    )
    if method.scale == "poster" and not method.needs_features:
        raise RequestError("scale 'poster' repeats the source study's nfm and agop; it has no isotropic form")
    if method.scale == "poster" and method.basis != "source":
        raise RequestError(f"scale 'poster' repeats the source study's code, which has no basis '{method.basis}'")
    return _canonical(method)


def _canonical(method: Method) -> Method:
    """Isotropic filters look the same from every direction, so that of a basis all that is left is the centring."""
    if method.features != "isotropic":
        return method
    return replace(method, basis="centred" if method.basis in CENTRED else "source")


def spelling(method: Method) -> dict[str, str | None]:
    """One way to write each method, as the fields of a spec: the nearest preset, and the choices that differ from it.

    `compose(**spelling(method))` gives the method back. The features are always the preset's own, so that they show
    in its name.
    """
    candidates = []
    for name, preset in METHODS.items():
        if (preset.recipe, preset.features) == (method.recipe, method.features):
            scale = method.scale if method.scale != preset.scale else None
            basis = method.basis if method.basis != preset.basis else None
            candidates.append({"init": name, "features": None, "scale": scale, "basis": basis})
    if method.scale == "poster":  # the source study's own name for it
        return candidates[-1]
    return max(candidates, key=lambda fields: list(fields.values()).count(None))
