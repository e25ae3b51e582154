"""The other libraries. A new one is a class in a file of its own and a line in PEERS."""

from peers.kit import Kit, Names
from peers.with_autograd import Autograd
from peers.with_jax import Jax
from peers.with_pytensor import PyTensor
from peers.with_torch import Torch, TorchCompiled

PEERS: dict[str, type[Kit]] = {
    "jax": Jax,
    "torch": Torch,
    "torch.compile": TorchCompiled,
    "autograd": Autograd,
    "pytensor": PyTensor,
}

__all__ = ["PEERS", "Kit", "Names"]
