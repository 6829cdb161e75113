"""Reads a checkpoint with h5py and compares it with plain float32 values.

usage: read_checkpoint.py CHECKPOINT VALUES   (exit status 0: all as expected)
       read_checkpoint.py --probe             (0: h5py and numpy are there)
"""
import sys

try:
    import h5py
    import numpy as np
except ImportError:
    sys.exit(2)

LAYERS, WIDTH, CONTEXT, VOCAB = 2, 48, 10, 187


def expected_tensors():
    """Hugging Face's names and shapes of GPT-2's parameters, in canonical order."""
    yield "transformer.wte.weight", (VOCAB, WIDTH)
    yield "transformer.wpe.weight", (CONTEXT, WIDTH)
    for layer in range(LAYERS):
        block = f"transformer.h.{layer}."
        for name, rows, columns in (("ln_1", 0, WIDTH), ("attn.c_attn", WIDTH, 3 * WIDTH),
                                    ("attn.c_proj", WIDTH, WIDTH), ("ln_2", 0, WIDTH),
                                    ("mlp.c_fc", WIDTH, 4 * WIDTH), ("mlp.c_proj", 4 * WIDTH, WIDTH)):
            yield block + name + ".weight", (rows, columns) if rows else (columns,)
            yield block + name + ".bias", (columns,)
    yield "transformer.ln_f.weight", (WIDTH,)
    yield "transformer.ln_f.bias", (WIDTH,)


def checksum(values):
    """The sum over elements of MurmurHash3's finaliser of (bits << 32) + index, modulo 2^64."""
    bits = values.reshape(-1).view(np.uint32).astype(np.uint64)
    z = (bits << np.uint64(32)) + np.arange(bits.size, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            z ^= z >> np.uint64(33)
            z *= np.uint64(factor)
        z ^= z >> np.uint64(33)
        return int(z.sum(dtype=np.uint64))


def main(path, plain):
    values = np.fromfile(plain, dtype=np.float32)
    at = 0
    with h5py.File(path, "r") as file:
        assert file.attrs["format"] == b"gridgpt checkpoint", file.attrs["format"]
        assert file.attrs["format_version"] == 1
        assert file.attrs["step"] == 120 and file.attrs["consumed_samples"] == 3840
        assert file.attrs["tokenizer_fingerprint"] == 0x8000000000000001
        assert file.attrs["train_loss"] == 3.25 and np.isnan(file.attrs["val_loss"])
        assert bytes(file["settings"][:]) == b"model.layers: 2\n"
        assert bytes(file["tokenizer"][:]) == b'{"model": {}}'
        for group in ("model", "optimizer/exp_avg", "optimizer/exp_avg_sq"):
            names = dict(expected_tensors())
            assert set(file[group].keys()) == set(names)
            for name, shape in names.items():
                tensor = file[group][name]
                assert tensor.shape == shape and tensor.dtype == np.float32, (group, name, tensor)
                want = values[at:at + tensor.size].reshape(shape)
                at += tensor.size
                assert np.array_equal(tensor[...], want), (group, name)
                assert checksum(want) == int(tensor.attrs["checksum"]), (group, name)
    assert at == values.size


if __name__ == "__main__":
    if sys.argv[1:] != ["--probe"]:
        main(sys.argv[1], sys.argv[2])
